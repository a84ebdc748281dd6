"""What each call of the store answers and leaves, from the outside: records, signals, events and queues."""

import json
import logging
from typing import Any

import pytest

from tests.unit.records import LIFE, PROGRESS, RULES, a_run, claim
from trainyard.errors import Conflict, StoreUnavailable
from trainyard.lease import LeaseRules
from trainyard.runs.events import StatusChanged, to_dict
from trainyard.runs.record import Run, RunStatus
from trainyard.runs.signals import Signals
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.records import REBUILDING, REMEMBERED_S, RecordStore
from trainyard.store.runs.queues import QueuePosition, QueueStore, Share, Waiters
from trainyard.store.runs.run_store import FINISH_QUEUE, FINISHING_LIFE, RunStore
from trainyard.store.runs.run_streams import STREAM_TTL_S, LiveStore, parse_signals

FIRST, SECOND, THIRD = (a_run(number).id for number in (1, 2, 3))
EVENT = StatusChanged(status="running", revision=3)


@pytest.fixture
def live(client: Client) -> LiveStore:
    return LiveStore(client)


def submit(store: RecordStore[Run], number: int = 1, **values: Any) -> Run:
    run = a_run(number, **values)
    return store.submit(run, run.id, RunStatus.QUEUED)[1]


def held(store: RecordStore[Run], number: int = 1, owner: str = "w") -> Run:
    submit(store, number)
    found = claim(store, owner)
    assert found
    return found


def left_s(client: Client, run_id: str) -> float:
    """How long a lease still holds, by the clock of the server."""
    seconds, micros = client.time()
    score = client.zscore("ty:leases:run", run_id)
    assert score is not None
    return score / 1000 - seconds - micros / 1e6


def test_a_run_of_a_set_that_was_removed_is_refused(store: RunStore, client: Client):
    client.set(keys.removed("dataset", a_run(1).dataset_id), 1)
    with pytest.raises(Conflict) as caught:
        submit(store)
    assert caught.value.message == "The data set has been deleted."
    assert caught.value.errors == {"dataset_id": ["no such data set"]}


def test_a_record_is_created_once(store: RunStore):
    run = a_run(1)
    created, first = store.submit(run, run.id, RunStatus.QUEUED)
    again, second = store.submit(run, run.id, RunStatus.QUEUED)
    assert (created, again, first) == (True, False, second)


def test_fields_are_read_alone_and_together(store: RunStore):
    submit(store, 1, name="one")
    submit(store, 2, name="two")
    assert store.field(FIRST, "name") == "one"
    assert (store.field(FIRST, "owner"), store.field(THIRD, "name")) == (None, None)
    assert store.field_of_several([SECOND, THIRD, FIRST], "name") == ["two", None, "one"]
    assert (store.exists(FIRST), store.exists(THIRD)) == (True, False)
    assert store.ids() == {FIRST, SECOND}
    assert store.revisions([SECOND, THIRD]) == {SECOND: store.get(SECOND).revision, THIRD: None}  # type: ignore[union-attr]


@pytest.mark.parametrize("lease_s", [300.0, 3000.0])
def test_a_lease_is_as_long_as_its_rules_say(store: RunStore, client: Client, lease_s: float):
    rules = LeaseRules(lease_s=lease_s)
    submit(store)
    run = store.claim("train", "w", LIFE, rules)
    assert run
    assert lease_s / 2 < left_s(client, FIRST) <= lease_s + 1
    for renewed in (
        lambda: store.renew(FIRST, run.fence, "w", LIFE, rules, ""),
        lambda: store.held("w", LIFE, rules),
    ):
        client.zadd("ty:leases:run", {FIRST: 1})
        assert renewed() is not None
        assert lease_s / 2 < left_s(client, FIRST) <= lease_s + 1
    assert store.held("other", LIFE, rules) is None


def test_a_sign_of_life_says_where_the_holder_stands(store: RunStore, live: LiveStore):
    run = held(store)
    told = to_dict(PROGRESS)
    assert store.renew(FIRST, run.fence, "w", LIFE, RULES, json.dumps(told)) == {}
    assert live.progress(FIRST) == told
    assert live.progresses([SECOND, FIRST]) == [None, told]
    assert live.progresses([]) == []
    assert store.renew(FIRST, run.fence, "other", LIFE, RULES, "") is None
    assert store.renew(FIRST, run.fence - 1, "w", LIFE, RULES, "") is None


def test_a_record_that_may_come_back_is_not_lost(store: RunStore, client: Client):
    def renewed() -> object:
        return store.renew(FIRST, 1, "w", LIFE, RULES, "")

    with pytest.raises(StoreUnavailable, match=REBUILDING):
        renewed()
    client.set(keys.INDEXED, 1)
    assert renewed() is None
    client.set(keys.REBUILDING, 1)
    with pytest.raises(StoreUnavailable, match=REBUILDING):
        renewed()
    client.set(keys.removed("run", FIRST), 1)
    assert renewed() is None
    assert store.was_removed(FIRST)
    assert not store.was_removed(SECOND)


def test_what_this_redis_may_lack(store: RunStore, client: Client):
    def lacks() -> tuple[bool, bool]:
        return store.is_incomplete(), store.may_lack()

    assert lacks() == (True, True)
    submit(store)
    assert lacks() == (False, True)
    client.set(keys.INDEXED, 1)
    assert lacks() == (False, False)
    client.set(keys.REBUILDING, 1)
    assert lacks() == (True, True)
    client.flushall()
    client.set(keys.INDEXED, 1)
    assert lacks() == (False, False)


def test_a_holder_writes_and_nobody_else(store: RunStore):
    run = held(store)
    checkpoints = {"last": {"file": "a.ckpt", "epoch": 2, "score": 0.5, "sha256": "x", "size": 3}}
    for fence, owner in ((run.fence, "other"), (run.fence + 1, "w")):
        assert store.update(FIRST, fence, owner, {"epoch": 1}) is None
        assert store.commit(FIRST, fence, owner, {}, 3, 30) is None
        assert store.finish(FIRST, fence, owner, "completed", {}) is None
        assert store.release(FIRST, fence, owner, "queued") is None
        assert store.crash(FIRST, fence, owner, LIFE, RULES, {"code": "x"}) is None
        assert store.hand_over(FIRST, fence, owner, 4, {"epoch": 4, "used_seconds": 1}) is None
    assert store.get(FIRST) == run
    store.update(FIRST, run.fence, "w", {"notices": ["n"]})
    store.commit(FIRST, run.fence, "w", {}, 3, 30)
    found = store.get(FIRST)
    assert found
    assert (found.notices, found.epoch, found.step, found.metrics_of) == (("n",), 3, 30, run.fence)
    assert json.loads(json.dumps(checkpoints)) == checkpoints


def test_each_way_to_let_go(store: RunStore):
    run = held(store)
    released = store.release(FIRST, run.fence, "w", "queued")
    assert released
    assert (released.status, released.attempts[-1].reason) == ("queued", "drained")
    again = claim(store)
    assert again
    crashed = store.crash(FIRST, again.fence, "w", LIFE, RULES, {"code": "broke"})
    assert crashed
    assert (crashed.status, crashed.crashes, crashed.attempts[-1].reason) == ("queued", 1, "broke")
    third = claim(store)
    assert third
    ended = store.finish(FIRST, third.fence, "w", "failed", {"error": {"code": "other"}})
    assert ended
    assert (ended.status, ended.error, ended.attempts[-1].reason) == ("failed", {"code": "other"}, "other")


def test_lapsed_leases_are_taken_back(store: RunStore, client: Client):
    run = held(store)
    assert store.reap(LIFE, RULES, {"code": "lost"}) == []
    client.zadd("ty:leases:run", {FIRST: 1})
    assert store.reap(LIFE, RULES, {"code": "lost"}) == [FIRST]
    found = store.get(FIRST)
    assert found
    assert (found.status, found.crashes, found.attempts[-1].reason) == ("queued", 1, "lost")
    once = LeaseRules(max_crashes=2)
    claim(store)
    client.zadd("ty:leases:run", {FIRST: 1})
    assert store.reap(LIFE, once, {"code": "lost"}) == [FIRST]
    found = store.get(FIRST)
    assert found
    assert (found.status, found.error, found.fence) == ("failed", {"code": "lost"}, run.fence + 1)


def test_a_client_edits_what_is_there(store: RunStore):
    submit(store)
    edited = store.edit(FIRST, {"name": "new"})
    assert edited
    assert edited.name == "new"
    assert edited == store.get(FIRST)
    assert store.edit(SECOND, {"name": "new"}) is None


def test_storage_says_which_revision_it_holds(store: RunStore):
    run = submit(store)
    assert store.unmirrored() == {FIRST}
    assert store.mirrored(FIRST, run.revision - 1) == ("newer", run)
    assert store.mirrored(FIRST, run.revision)[1] is None
    assert store.unmirrored() == set()
    assert store.mirrored(SECOND, 1)[1] is None
    store.edit(FIRST, {"name": "new"})
    store.leave_mirror(FIRST)
    assert store.unmirrored() == set()


def test_what_is_in_no_queue_is_put_there_again(
    store: RunStore, client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("trainyard.store.records.REQUEUED_AT_ONCE", 2)
    for number in range(1, 6):
        submit(store, number)
    assert store.requeue_lost(LIFE) == []
    client.delete("ty:q:train")
    assert sorted(store.requeue_lost(LIFE)) == [a_run(number).id for number in range(1, 6)]
    assert store.requeue_lost(FINISHING_LIFE) == []
    assert claim(store)


def test_a_record_that_cannot_be_read_is_listed(store: RunStore, client: Client):
    values = {"project": "a", "created_at": "5.0", "revision": "3"}
    store.note_unreadable(SECOND, LIFE, values)
    assert store.field(SECOND, "status") == "failed"
    assert store.ids() == {SECOND}
    [item] = store.page(None, "a", None, 5).items
    assert item.id == SECOND
    assert store.page(None, "b", None, 5).items == []


def test_one_that_cannot_be_read_fails_and_the_next_is_taken(
    store: RunStore, client: Client, caplog: pytest.LogCaptureFixture
):
    submit(store, 1)
    submit(store, 2)
    client.hset(keys.record("run", FIRST), "spec", "broken")
    with caplog.at_level(logging.ERROR):
        found = claim(store)
    assert found
    assert found.id == SECOND
    [record] = caplog.records
    assert record.getMessage().startswith(f"The run {FIRST} cannot be read and fails: ")
    assert store.field(FIRST, "status") == "failed"
    assert json.loads(store.field(FIRST, "error") or "")["code"] == "unreadable"
    assert store.field(FIRST, "owner") is None


def test_a_holder_of_what_cannot_be_read_holds_nothing(store: RunStore, client: Client):
    held(store)
    client.hset(keys.record("run", FIRST), "spec", "broken")
    assert store.held("w", LIFE, RULES) is None
    assert store.field(FIRST, "status") == "failed"


def test_signals_are_parsed_with_their_versions(store: RunStore, live: LiveStore):
    assert parse_signals({}) == Signals()
    assert live.signals(FIRST) == Signals()
    run = held(store)
    live.retarget(FIRST, 9)
    live.stop(FIRST, "epoch")
    live.stop(FIRST, "now")
    expected = Signals(stop="now", stop_version=2, epochs=9, epochs_version=1)
    assert live.signals(FIRST) == expected
    store.cancel(FIRST)
    found = store.renew(FIRST, run.fence, "w", LIFE, RULES, "")
    assert found
    assert parse_signals(found) == live.signals(FIRST)
    assert live.signals(FIRST).cancel


def test_events_come_in_order_after_what_storage_has(store: RunStore, live: LiveStore, client: Client):
    run = held(store)
    assert (live.first_id(FIRST), live.read(FIRST, "0", 1)) == (None, [])
    asked = []

    def last_kept() -> str:
        asked.append(1)
        return "7-3"

    first = live.append(FIRST, EVENT, last_kept)
    second = live.tell(FIRST, run.fence, "w", EVENT, last_kept)
    assert len(asked) == 1
    assert live.tell(FIRST, run.fence, "other", EVENT, last_kept) is None
    assert live.tell(FIRST, run.fence + 1, "w", EVENT, last_kept) is None
    told = to_dict(EVENT)
    assert live.read(FIRST, "0", 1) == [(first, told), (second, told)]
    assert live.read(FIRST, "0", 1, count=1) == [(first, told)]
    assert live.read(FIRST, first, 1) == [(second, told)]
    assert live.read(FIRST, str(second), 1) == []
    assert live.first_id(FIRST) == first
    [*_, newest] = client.xrange("ty:events")
    assert (newest[1]["run"], newest[1]["kind"], newest[1]["own"]) == (FIRST, EVENT.name, second)
    live.expire(FIRST)
    assert STREAM_TTL_S - 600 < client.ttl(keys.events(FIRST)) <= STREAM_TTL_S


def test_queues_tell_who_waits_and_who_may(store: RunStore, client: Client):
    queues = QueueStore(client, RULES, 1)
    for number, project in ((1, "a"), (2, "a"), (3, "b")):
        submit(store, number, project=project)
    assert claim(store, max_concurrent=1)
    shares = [
        Share(project="a", waiting=1, running=1, limit=1), Share(project="b", waiting=1, running=0, limit=1),
    ]  # fmt: skip
    assert queues.waiting_runs("train") == Waiters(shares=shares, must_wait=False)
    assert [share.is_over_limit for share in shares] == [True, False]
    assert not Share(project="a", waiting=1, running=9, limit=None).is_over_limit
    assert queues.queue_position(FIRST) is None
    assert queues.queue_position(SECOND) == QueuePosition(
        position=2, own_before=0, limit=1, is_over_limit=True, must_wait=False
    )
    free = QueueStore(client, RULES, 0).queue_position(SECOND)
    assert free
    assert (free.limit, free.is_over_limit, free.position) == (None, False, 2)
    assert QueueStore(client, RULES, 0).waiting_runs("train").shares[0].limit is None
    client.hset("ty:server", "run_id", "another")
    assert queues.waiting_runs("train").must_wait
    position = queues.queue_position(SECOND)
    assert position
    assert position.must_wait


def test_trained_runs_wait_without_a_limit(store: RunStore, client: Client):
    run = held(store)
    store.hand_over(FIRST, run.fence, "w", run.epochs, {"epoch": run.epochs, "used_seconds": 1.0})
    queues = QueueStore(client, RULES, 1)
    share = Share(project="a", waiting=1, running=0, limit=None)
    assert queues.waiting_to_finish(FINISH_QUEUE) == Waiters(shares=[share], must_wait=False)
    assert queues.waiting_runs(FINISH_QUEUE).shares[0].limit == 1
    assert queues.waiting_datasets("ingest") == Waiters(shares=[], must_wait=False)


def test_what_was_removed_is_remembered_for_a_while(store: RunStore, client: Client):
    run = held(store)
    store.finish(FIRST, run.fence, "w", "failed", {})
    assert store.remove(FIRST) == ("ok", None)
    assert REMEMBERED_S - 600 < client.ttl(keys.removed("run", FIRST)) <= REMEMBERED_S
    assert store.was_removed(FIRST)


def test_records_come_from_storage_as_they_were_there(store: RunStore, client: Client):
    waiting, working = (
        a_run(1, revision=4),
        a_run(2, revision=5, status=RunStatus.RUNNING, owner="w", fence=3),
    )
    outcomes = store.restore({FIRST: waiting, SECOND: working}, LIFE, RULES)
    assert outcomes == ["restored", "interrupted"]
    assert store.get(FIRST) == waiting
    found = store.get(SECOND)
    assert found
    assert (found.status, found.owner, found.interrupted, found.fence) == ("queued", None, True, 3)
    assert claim(store) is None, "its holder may speak yet"
    assert store.renew(SECOND, 3, "w", LIFE, RULES, "") == {}
    assert store.restore({FIRST: waiting}, LIFE, RULES) == ["same"]
    assert store.restore({FIRST: a_run(1, revision=3)}, LIFE, RULES) == ["ahead"]
    newer = {FIRST: {**store.codec.to_json(a_run(1)), "of_a_newer_release": 7}}
    assert store.restore({FIRST: a_run(1, revision=9)}, LIFE, RULES, newer) == ["restored"]
    assert client.hget(keys.record("run", FIRST), "of_a_newer_release") == "7"
    assert store.restore({}, LIFE, RULES) == []
