"""Each of the usual disturbances once, in a small cluster: no run is lost, doubled or changed."""

from random import Random

import pytest

from tests.chaos.__main__ import RIGHTS, SHARES
from tests.chaos.campaign import CampaignPlan, run_campaign
from tests.chaos.cluster import Cluster, ClusterPlan
from tests.chaos.judge import judge

SEED = 5


@pytest.mark.timeout(280)
def test_no_run_is_harmed(tmp_path):
    cluster = Cluster(
        ClusterPlan(
            folder=tmp_path / "cluster", workers=3, lease_s=4, step_s=0.06, second_host=False, stored=200
        )
    )
    plan = CampaignPlan(seed=SEED, seconds=120, gap_s=(0.5, 2.0), patience_s=120, seeds=3, epochs=8)
    kinds = sorted(SHARES.keys() - RIGHTS)
    with cluster:
        verdict = judge(run_campaign(cluster, plan, iter(Random(SEED).sample(kinds, len(kinds)))))
    assert verdict.faults == []
    assert sorted(verdict.kinds) == kinds
    assert verdict.cancelled > 0
    assert verdict.resumed > 0
    assert cluster.survivors() == []
    assert not cluster.redis.answers()
