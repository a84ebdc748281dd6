"""Turns: shares of projects, limits, the front of a queue, places in it."""

from typing import Any, Literal

import pytest

from tests.unit.records import LIFE, RULES, a_run, claim
from trainyard.runs.record import Run, RunStatus
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.records import RecordStore
from trainyard.store.runs.queues import QueueStore
from trainyard.store.runs.run_streams import LiveStore


@pytest.fixture
def store(client: Client) -> RecordStore[Run]:
    return RecordStore(client, "run", Run)


@pytest.fixture
def queues(client: Client) -> QueueStore:
    return QueueStore(client, RULES, 0)


def submitted(store: RecordStore[Run], **projects: Any) -> dict[str, str]:
    """Runs named by their letters, in this order; a value is the project or (project, priority)."""
    found = {}
    for number, (name, wanted) in enumerate(projects.items()):
        project, priority = wanted if isinstance(wanted, tuple) else (wanted, 0)
        run = a_run(number, project=project, priority=priority, name=name)
        found[name] = store.submit(run, run.id, RunStatus.QUEUED)[1].id
    return found


def claimed(store: RecordStore[Run], **options: Any) -> str:
    """The names of the runs in the order in which they are claimed, until none is left."""
    return "".join(run.name for run in iter(lambda: claim(store, **options), None) if run)


def test_projects_take_turns(store: RecordStore[Run]):
    submitted(store, a="x", b="x", c="x", d="y", e="z", f="y")
    assert claimed(store) == "adebfc"


def test_a_priority_goes_before_a_share(store: RecordStore[Run]):
    submitted(store, a=("x", 5), b=("x", 5), c=("y", 4), d=("x", 4))
    assert claimed(store) == "abcd"


def test_a_project_never_trains_more_than_its_limit(store: RecordStore[Run], client: Client):
    client.hset(keys.limits("run"), "y", 1)
    submitted(store, a="x", b="x", c="x", d="y", e="y")
    assert claimed(store, max_concurrent=2) == "adb"
    held = store.page("running", "y", None, 1).items[0]
    store.finish(held.id, held.fence, "w", RunStatus.COMPLETED, {})
    assert claimed(store, max_concurrent=2) == "e"
    assert claimed(store) == "c", "0 is no limit"


def test_limits_hold_over_all_classes(store: RecordStore[Run]):
    submitted(store, a="x")
    run = a_run(9, project="x", queue="other")
    store.submit(run, run.id, RunStatus.QUEUED)
    assert claim(store, max_concurrent=1)
    assert store.claim("other", "w", LIFE, RULES, 1) is None


def test_the_front_is_that_of_a_project_and_a_priority(
    store: RecordStore[Run], queues: QueueStore, client: Client
):
    ids = submitted(store, a=("x", 9), b="x", c="x", d="y", e="x")
    live = LiveStore(client)
    for name in "ece":
        assert live.move_to_front(ids[name])[0] == "ok"
    queue_position = queues.queue_position(ids["e"])
    assert queue_position
    assert queue_position.position == 3
    assert claimed(store) == "adecb"
    assert live.move_to_front(ids["a"])[0] == "refused"


def test_runs_go_beside_each_other(store: RecordStore[Run], client: Client):
    ids = submitted(store, a=("x", 9), b="x", c="x", d="y", e="x", f="x")
    live = LiveStore(client)

    def move(name: str, step: Literal[-1, 1], other: str) -> str:
        return live.move_beside(ids[name], ids[other], step)[0]

    assert [move("f", -1, "c"), move("e", -1, "f"), move("b", 1, "c"), move("c", -1, "b")] == ["ok"] * 4
    assert [move("c", -1, "a"), move("c", 1, "d"), move("c", 1, "c")] == ["apart"] * 3
    assert live.move_beside(ids["c"], "run-1", 1)[0] == "apart"
    claimed_now = claimed(store)
    assert [one for one in claimed_now if one != "d"] == ["a", "e", "f", "c", "b"]
    assert move("c", 1, "b") == "refused"


def test_runs_that_arrived_at_once_make_room(store: RecordStore[Run], client: Client):
    ids = submitted(store, a="x", b="x", c="x", d="x")
    live = LiveStore(client)
    for name in "bcd":  # one microsecond after another, without a gap
        live.move_beside(ids[name], ids["a"], 1)
    before = {name: run.revision for name in ids if (run := store.get(ids[name]))}
    assert live.move_beside(ids["b"], ids["d"], 1)[0] == "ok"
    assert live.move_beside(ids["b"], ids["d"], 1)[0] == "ok"
    again = store.get(ids["b"])
    assert again
    assert again.revision == before["b"] + 1, "where it is there already, nothing changes"
    assert claimed(store) == "adbc"


def test_a_moved_run_keeps_its_place_among_those_of_another_priority(store: RecordStore[Run], client: Client):
    ids = submitted(store, a=("x", 3), b="x", c="x")
    LiveStore(client).move_to_front(ids["c"])
    store.edit(ids["c"], {"priority": 3})
    assert claimed(store) == "acb"


def test_what_a_limit_holds_up_comes_after_all_others(store: RecordStore[Run]):
    ids = submitted(store, a="x", b="x", c="x", d="y", e="y")
    limited = QueueStore(store.client, RULES, 1)
    queue_positions = {name: limited.queue_position(run_id) for name, run_id in ids.items()}
    positions = {name: (s.position, s.is_over_limit) for name, s in queue_positions.items() if s}
    assert positions == {"a": (1, False), "d": (2, False), "b": (3, True), "e": (4, True), "c": (5, True)}


def test_waiting_runs_are_counted_by_project(store: RecordStore[Run], queues: QueueStore):
    submitted(store, a="x", b="x", c="y")
    claim(store)
    shares = queues.waiting_runs("train").shares
    assert [(one.project, one.waiting, one.running) for one in shares] == [("x", 1, 1), ("y", 1, 0)]
    claimed(store)
    assert queues.waiting_runs("train").shares == []


def test_a_claim_looks_at_few_of_many_projects(store: RecordStore[Run], client: Client):
    """At those that have something in work, and the first that has nothing."""
    for number in range(200):
        run = a_run(number, project=f"p{number:03}")
        store.submit(run, run.id, RunStatus.QUEUED)
    assert [claim(store).project for _ in range(3)] == ["p000", "p001", "p002"]
    client.config_resetstat()
    assert claim(store).project == "p003"
    calls = {name: told["calls"] for name, told in client.info("commandstats").items()}
    assert calls["cmdstat_zrange"] < 12


def test_projects_that_only_an_older_release_has_put_into_the_queue_have_their_turns(
    store: RecordStore[Run], client: Client
):
    submitted(store, a="x", b="y", c="y")
    client.zrem("ty:q:train:heads", "x")
    assert claimed(store) == "abc"
    submitted_later = a_run(9, project="z", name="d")
    store.submit(submitted_later, submitted_later.id, RunStatus.QUEUED)
    client.delete("ty:q:train:heads")
    assert claimed(store) == "d"
