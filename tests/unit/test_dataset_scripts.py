"""The transitions that only data sets have, script by script."""

from dataclasses import asdict

import pytest

from trainyard.datasets.record import Dataset, DatasetStatus, IngestOptions
from trainyard.lease import LeaseRules
from trainyard.store.connection import Client
from trainyard.store.records import Life
from trainyard.store.resources.dataset_store import REMEMBERED_S, DatasetStore

LIFE = Life(waiting=DatasetStatus.QUEUED, working=DatasetStatus.INGESTING, failed=DatasetStatus.FAILED)


@pytest.fixture
def store(client: Client) -> DatasetStore:
    return DatasetStore(client)


def submitted(store: DatasetStore, number: int = 1) -> Dataset:
    dataset = Dataset(id=f"ds-{number:012x}", name="a", project="p", created_at=0)
    return store.submit(dataset, dataset.id, DatasetStatus.QUEUED)[1]


def claimed(store: DatasetStore) -> Dataset:
    found = store.claim("ingest", "w", LIFE, LeaseRules())
    assert found
    return found


def ended(store: DatasetStore, status: DatasetStatus) -> Dataset:
    submitted(store)
    held = claimed(store)
    found = store.finish(held.id, held.fence, "w", status, {"images_done": 3, "images_total": 3})
    assert found
    return found


@pytest.mark.parametrize("status", [DatasetStatus.READY, DatasetStatus.FAILED])
def test_an_ended_ingest_is_queued_again_with_other_options(store: DatasetStore, status: DatasetStatus):
    seen = ended(store, status)
    options = asdict(IngestOptions(seed=7, label_map={255: 1, 3: None}))
    outcome, again = store.reopen(seen, {"options": options})
    assert again
    assert (outcome, again.status, again.options.seed) == ("ok", DatasetStatus.QUEUED, 7)
    assert again.options.label_map == {255: 1, 3: None}
    assert (again.images_done, again.images_total, again.ended_at) == (0, None, None)
    assert again.revision > seen.revision
    assert store.page("queued", "p", None, 5).items == [again]
    assert store.page(status, "p", None, 5).items == []
    held = claimed(store)
    assert held.fence == seen.fence + 1, "the attempt before may not write any more"
    assert store.update(seen.id, seen.fence, "w", {"images_done": 1}) is None


def test_one_under_way_is_not_queued_twice(store: DatasetStore):
    waiting = submitted(store)
    assert store.reopen(waiting, {})[0] == "refused"
    outcome, found = store.reopen(claimed(store), {})
    assert (outcome, found and found.status) == ("refused", DatasetStatus.INGESTING)


def test_a_change_made_from_an_old_record_is_refused(store: DatasetStore):
    seen = ended(store, DatasetStatus.READY)
    store.edit(seen.id, {"name": "new"})
    outcome, found = store.reopen(seen, {"name": "lost"})
    assert (outcome, found and found.name) == ("changed", "new")


def test_there_must_be_one(store: DatasetStore):
    absent = Dataset(id="ds-000000000000", name="a", project="p", created_at=0)
    assert store.reopen(absent, {}) == ("missing", None)
    assert store.remove(absent.id) == ("missing", {})
    assert not store.was_removed(absent.id)


def test_a_removed_one_leaves_a_note_that_passes(store: DatasetStore, client: Client):
    removed, kept = submitted(store, 1), submitted(store, 2)
    assert store.remove(removed.id) == ("ok", {})
    assert not store.exists(removed.id)
    assert store.exists(kept.id)
    assert store.was_removed(removed.id)
    assert not store.was_removed(kept.id)
    assert claimed(store).id == kept.id
    left = [key for key in client.keys("*") if removed.id in key]
    assert left == [f"ty:dataset:{removed.id}:removed"]
    assert 0 < client.ttl(left[0]) <= REMEMBERED_S
    for index in client.keys("ty:dataset:by:*"):
        assert client.zscore(index, removed.id) is None


def test_a_set_in_use_keeps_its_version_when_its_new_ingest_is_lost(store: DatasetStore, client: Client):
    rules = LeaseRules(max_crashes=1)
    first = ended(store, DatasetStatus.READY)
    client.hset(f"ty:dataset:{first.id}", "summary", "{}")
    client.hset(f"ty:dataset:{first.id}", "status", "ingesting")
    client.zadd("ty:leases:dataset", {first.id: 0})
    assert store.reap(LIFE, rules, {"code": "worker_lost"}) == [first.id]
    assert client.hget(f"ty:dataset:{first.id}", "status") == "ready"


def test_a_removed_set_has_no_lease(store: DatasetStore, client: Client):
    submitted(store)
    held = claimed(store)
    store.remove(held.id)
    assert client.zcard("ty:leases:dataset") == 0
