"""Each of the usual disturbances once, in a small yard: no run is lost, doubled or changed."""

from random import Random

import pytest

from tests.chaos.__main__ import RIGHTS, SHARES
from tests.chaos.campaign import CampaignPlan, run_campaign
from tests.chaos.judge import judge
from tests.chaos.yard import Yard, YardPlan

SEED = 5


@pytest.mark.timeout(280)
def test_no_run_is_harmed(tmp_path):
    yard = Yard(
        YardPlan(folder=tmp_path / "yard", workers=3, lease_s=4, step_s=0.06, second_host=False, stored=200)
    )
    plan = CampaignPlan(seed=SEED, seconds=120, gap_s=(0.5, 2.0), patience_s=120, seeds=3, epochs=8)
    kinds = sorted(SHARES.keys() - RIGHTS)
    with yard:
        verdict = judge(run_campaign(yard, plan, iter(Random(SEED).sample(kinds, len(kinds)))))
    assert verdict.faults == []
    assert sorted(verdict.kinds) == kinds
    assert verdict.cancelled > 0
    assert verdict.resumed > 0
    assert yard.survivors() == []
    assert not yard.redis.answers()
