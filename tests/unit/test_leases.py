"""Leases: lost work comes back, and whoever lost it can write nothing."""

import time

import pytest

from tests.unit.records import a_run
from tests.waits import scaled
from trainyard.datasets.record import Dataset, DatasetStatus
from trainyard.errors import ChildDied, OwnershipLost
from trainyard.lease import LeaseRules, Ownership
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import RunStatus
from trainyard.storage.files import Storage
from trainyard.storage.ids import new_dataset_id
from trainyard.storage.json_files import read_json
from trainyard.store.clean_stop import mark_clean_stop
from trainyard.store.connection import connect

SHORT = LeaseRules(lease_s=0.2, max_crashes=2)
LONG = LeaseRules(lease_s=30)


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path / "storage")


@pytest.fixture
def runs(redis_url, storage):
    return RunRegistry(connect(redis_url), storage, SHORT)


def submitted(runs: RunRegistry, number: int = 1):
    return runs.submit(a_run(number))[1]


def test_a_lapsed_lease_puts_the_run_back_and_tells_its_followers(redis_url, storage):
    runs = RunRegistry(connect(redis_url), storage, LeaseRules(lease_s=scaled(1)))
    run = submitted(runs)
    held = runs.claim("train", "lost")
    assert runs.reap() == []
    time.sleep(runs.rules.lease_s)
    (back,) = runs.reap()
    assert (back.id, back.status, back.owner, back.crashes) == (run.id, RunStatus.QUEUED, None, 1)
    assert read_json(storage.run(run.id).record)["status"] == "queued"
    assert [event["status"] for _, event in runs.live.read(run.id, "0", 1)] == ["queued"]
    assert runs.claim("train", "next").fence == held.fence + 1


def test_a_renewed_lease_does_not_lapse(redis_url, storage):
    runs = RunRegistry(connect(redis_url), storage, LeaseRules(lease_s=scaled(1)))
    submitted(runs)
    held = runs.claim("train", "w")
    for _ in range(4):
        time.sleep(runs.rules.lease_s / 2)
        runs.renew(held)
        assert runs.reap() == []


def test_who_lost_a_run_can_write_nothing(runs):
    submitted(runs)
    zombie = runs.claim("train", "zombie")
    time.sleep(SHORT.lease_s)
    runs.reap()
    for held_by_another in (False, True):
        if held_by_another:
            runs.claim("train", "owner")
        for write in (
            lambda: runs.renew(zombie),
            lambda: runs.update(zombie, epoch=9),
            lambda: runs.finish(zombie, RunStatus.COMPLETED),
            lambda: runs.release(zombie),
            lambda: runs.crash(zombie, ChildDied().to_dict()),
        ):
            with pytest.raises(OwnershipLost):
                write()
    assert runs.get(zombie.id).owner == "owner"


def test_a_run_that_is_lost_again_and_again_fails_and_says_so(runs):
    submitted(runs)
    for status in (RunStatus.QUEUED, RunStatus.FAILED):
        runs.claim("train", "w")
        time.sleep(SHORT.lease_s)
        (run,) = runs.reap()
        assert run.status is status
    assert run.error["code"] == "worker_lost"
    assert runs.claim("train", "w") is None


def test_a_drained_attempt_does_not_count(runs):
    submitted(runs)
    for _ in range(SHORT.max_crashes + 1):
        assert runs.release(runs.claim("train", "w")).crashes == 0


def test_what_had_begun_goes_before_what_has_not(runs):
    first = submitted(runs, 1)
    second = submitted(runs, 2)
    held = runs.claim("train", "w")
    assert held.id == first.id
    third = submitted(runs, 3)
    runs.release(held)
    assert [runs.claim("train", "w").id for _ in range(3)] == [first.id, second.id, third.id]


def test_what_was_interrupted_goes_before_any_priority(runs):
    first = submitted(runs, 1)
    runs.release(runs.claim("train", "w"))
    runs.submit(a_run(2, priority=9))
    assert runs.claim("train", "w").id == first.id


def test_an_interruption_is_over_once_the_run_trains_again(runs, storage):
    run = submitted(runs, 1)
    assert runs.release(runs.claim("train", "w")).interrupted
    assert read_json(storage.run(run.id).record)["interrupted"]
    assert not runs.claim("train", "w").interrupted


def test_data_sets_come_back_too(redis_url, storage):
    datasets = DatasetRegistry(connect(redis_url), storage, SHORT)
    datasets.submit(Dataset(id=new_dataset_id(), name="n", project="p", created_at=0))
    datasets.claim("ingest", "w")
    time.sleep(SHORT.lease_s)
    assert [one.status for one in datasets.reap()] == [DatasetStatus.QUEUED]


def test_a_claim_that_redis_forgot_is_in_force_again(runs):
    """As after a power cut that took the last second of the append-only file."""
    submitted(runs)
    held = runs.claim("train", "w")
    client = connect_of(runs)
    key = f"ty:run:{held.id}"
    client.hset(key, mapping={"status": "queued", "fence": 0})
    client.hdel(key, "owner")
    client.zadd("ty:q:train", {held.id: 0})
    runs.renew(held)
    now = runs.get(held.id)
    assert (now.status, now.fence, now.owner) == (RunStatus.RUNNING, held.fence, "w")
    assert runs.claim("train", "another") is None


def test_after_an_unclean_start_nothing_is_given_out_for_a_while(server, storage):
    runs = RunRegistry(connect(server.url), storage, LeaseRules(lease_s=scaled(1.5)))
    submitted(runs, 1)
    submitted(runs, 2)
    assert runs.claim("train", "w"), "a fresh Redis need not wait"
    server.kill()
    server.start()
    assert runs.claim("train", "another") is None
    assert runs.reap() == []
    time.sleep(runs.rules.grace_s)
    assert len(runs.reap()) == 1
    assert runs.claim("train", "another")


def test_after_a_clean_stop_work_is_given_out_at_once(server, storage):
    runs = RunRegistry(connect(server.url), storage, LONG)
    submitted(runs, 1)
    held = runs.claim("train", "w")
    assert not mark_clean_stop(connect(server.url)), "a lease is out"
    runs.release(held)
    assert mark_clean_stop(connect(server.url))
    server.kill()
    server.start()
    assert runs.claim("train", "another") is not None


def test_ownership_ends_before_the_lease_does():
    rules = LeaseRules(lease_s=10)
    ownership = Ownership(rules, time.monotonic())
    assert not ownership.has_lapsed
    ownership.renew(time.monotonic() - 7.1)
    assert ownership.has_lapsed


def connect_of(runs: RunRegistry):
    return runs.live._client
