"""What a process remembers of records that lists show is forgotten when it may not hold any more."""

import pytest

from tests.unit.records import a_run
from trainyard.runs.record import RunStatus
from trainyard.store import keys, known
from trainyard.store.codec import NOTED, UnreadableRecord
from trainyard.store.connection import Client
from trainyard.store.known import KnownRecords
from trainyard.store.runs.run_store import RunStore


@pytest.fixture
def records(client: Client, store: RunStore) -> KnownRecords:
    return KnownRecords(client, "run", store.codec)


def submitted(store: RunStore, number: int) -> str:
    run = a_run(number)
    store.submit(run, run.id, RunStatus.QUEUED)
    return run.id


def test_a_record_is_decoded_once_and_again_when_it_has_changed(store: RunStore, records: KnownRecords):
    first, second = submitted(store, 1), submitted(store, 2)
    before = records.read([first, second])
    assert before == [store.get(first), store.get(second)]
    store.edit(second, {"notes": "other"})
    after = records.read([second, "run-00000000000f", first])
    assert after == [store.get(second), store.get(first)]
    assert after[1] is before[0]
    store.client.delete(keys.record("run", first))
    assert records.read([first]) == []


def test_the_same_revision_of_a_redis_that_was_filled_anew_is_another(
    store: RunStore, records: KnownRecords, client: Client
):
    """It may have lost its last writes, and counts on from before them."""
    run_id = submitted(store, 1)
    seen = records.read([run_id])[0]
    client.hset(keys.record("run", run_id), "notes", "after the loss")
    assert records.read([run_id]) == [seen], "the revision tells, and is the same"
    client.hset(keys.INDEXED_SPEC, "at", 2)
    assert records.read([run_id]) == [store.get(run_id)] != [seen]


def test_one_that_cannot_be_read_is_looked_at_each_time(
    store: RunStore, records: KnownRecords, client: Client
):
    run_id = submitted(store, 1)
    for told in ("so", "otherwise"):
        client.hset(keys.record("run", run_id), NOTED, told)
        (found,) = records.read([run_id])
        assert isinstance(found, UnreadableRecord)
        assert told in found.problem


def test_the_longest_unread_are_forgotten(
    store: RunStore, records: KnownRecords, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(known, "KEPT", 2)
    ids = [submitted(store, number) for number in range(3)]
    first = records.read(ids[:1])[0]
    assert records.read(ids[1:]) == [store.get(one) for one in ids[1:]]
    assert records.read(ids[:1])[0] == first
    assert records.read(ids[:1])[0] is not first
