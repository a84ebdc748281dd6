"""Records, signals, events and names in Redis."""

from typing import Any

import pytest

from tests.unit.records import RULES, a_run, claim, renew
from trainyard.errors import StoreUnavailable
from trainyard.runs.events import EpochEnd, Progress
from trainyard.runs.record import Run, RunStatus
from trainyard.store import keys
from trainyard.store.connection import Client, connect, ping
from trainyard.store.records import RecordStore
from trainyard.store.resources.aliases import NameStore
from trainyard.store.runs.queues import QueueStore
from trainyard.store.runs.run_streams import LiveStore


@pytest.fixture
def store(client: Client) -> RecordStore[Run]:
    return RecordStore(client, "run", Run)


def submit(store: RecordStore[Run], number: int, **values: Any) -> Run:
    run = a_run(number, **values)
    return store.submit(run, run.id, RunStatus.QUEUED)[1]


def test_records_come_back_as_they_went(store: RecordStore[Run]):
    run = a_run(1, notes="zwei\nZeilen \"'\\ 猫", labels={"a": "b"}, notices=("n",), experiment="e")
    stored = submit(store, 1, notes=run.notes, labels=run.labels, notices=run.notices, experiment="e")
    assert stored.created_at > run.created_at
    assert store.get(run.id) == stored
    assert stored.spec == run.spec
    assert (stored.notes, stored.labels, stored.notices) == (run.notes, run.labels, run.notices)


def test_first_come_first_served_within_a_priority(store: RecordStore[Run]):
    order = [0, 3, 0, 9, 3, 0]
    runs = [submit(store, number, priority=priority) for number, priority in enumerate(order)]
    claimed = [run.id for run in iter(lambda: claim(store), None) if run]
    assert claimed == [runs[i].id for i in (3, 1, 4, 0, 2, 5)]


def test_creation_times_never_repeat(store: RecordStore[Run]):
    times = [submit(store, number).created_at for number in range(50)]
    assert times == sorted(set(times))


def test_pages_meet_without_gap_or_overlap(store: RecordStore[Run]):
    ids = [submit(store, number).id for number in range(7)]
    found, cursor = [], None
    while True:
        page = store.page(None, None, cursor, 3)
        found += [run.id for run in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == ids[::-1]


def test_a_full_last_page_names_no_next(store: RecordStore[Run]):
    for number in range(3):
        submit(store, number)
    assert store.page(None, None, None, 3).next_cursor is None
    assert store.page(None, None, None, 2).next_cursor is not None


def test_an_emptied_field_takes_its_default(store: RecordStore[Run]):
    run = submit(store, 1, notes="text")
    edited = store.edit(run.id, {"notes": ""})
    assert edited
    assert edited.notes == ""


def test_stop_signals_have_versions(store: RecordStore[Run], client: Client):
    live, run = LiveStore(client), submit(store, 1)
    held = claim(store)
    assert held
    for when, version in (("epoch", 1), ("epoch", 1), ("now", 2), ("epoch", 2), ("now", 2)):
        live.stop(run.id, when)
        assert live.signals(run.id).stop_version == version
    assert live.signals(run.id).stop == "now"
    live.retarget(run.id, 30)
    live.retarget(run.id, 30)
    told = renew(store, held)
    assert told
    assert (told.epochs_version, told.epochs) == (1, 30)


def test_progress_is_the_latest(store: RecordStore[Run], client: Client):
    live, run = LiveStore(client), submit(store, 1)
    held = claim(store)
    assert held
    assert live.progress(run.id) is None
    for step in (1, 2):
        renew(store, held, Progress(stage="train", epoch=1, epochs=2, step=step, steps_per_epoch=3,
                                   loss=0.5, images_per_second=None, eta_seconds=None))  # fmt: skip
    renew(store, held)
    found = live.progress(run.id)
    assert found
    assert found["step"] == 2


def test_events_are_read_from_any_point(client: Client):
    live = LiveStore(client)
    assert live.first_id("r") is None
    assert live.read("r", "0", 1) == []
    ids = [
        live.append("r", EpochEnd(epoch=epoch, step=epoch, metrics={}), lambda: "0-0") for epoch in (1, 2, 3)
    ]
    assert live.first_id("r") == ids[0]
    assert [event_id for event_id, _ in live.read("r", "0", 1)] == ids
    assert [event["epoch"] for _, event in live.read("r", ids[0], 1)] == [2, 3]
    live.expire("r")
    assert 0 < client.ttl(keys.events("r")) <= 7 * 24 * 3600


def test_ids_of_events_go_on_after_those_of_storage(client: Client):
    """As where Redis was emptied within a millisecond, or its clock was set back."""
    live, event = LiveStore(client), EpochEnd(epoch=1, step=1, metrics={})
    ahead = f"{2**45}-7"
    first = live.append("r", event, lambda: ahead)
    assert first == f"{2**45}-8"
    assert live.append("r", event, lambda: "0-0") == f"{2**45}-9"
    assert [event_id for event_id, _ in live.read("r", "0", 1)] == [first, f"{2**45}-9"]
    assert live.first_id("r") == first


def test_numbers_and_names_are_given_once(client: Client):
    names = NameStore(client, "study")
    assert [names.next_number("anna") for _ in range(3)] == [1, 2, 3]
    assert names.next_number("ben", at_least=7) == 7
    assert names.bind("anna-1", "run-1")
    assert not names.bind("anna-1", "run-2")
    assert names.resolve("anna-1") == "run-1"
    assert names.resolve("anna-2") is None
    assert NameStore(client, "other").resolve("anna-1") is None


def test_shared_sets(client: Client):
    names = NameStore(client, "study")
    assert names.add("models", "Unet")
    assert not names.add("models", "Unet")
    assert names.members("models") == {"Unet"}
    assert names.discard("models", "Unet")
    assert not names.discard("models", "Unet")
    assert names.members("models") == set()


def test_without_redis_every_call_says_so():
    client = connect("redis://127.0.0.1:1/0")
    store, live, names = RecordStore(client, "run", Run), LiveStore(client), NameStore(client, "s")
    queues = QueueStore(client, RULES, 0)
    calls = (
        lambda: ping(client),
        lambda: store.get("r"),
        lambda: store.page(None, None, None, 1),
        lambda: queues.queue_position("r"),
        lambda: queues.waiting_runs("train"),
        lambda: claim(store),
        lambda: live.stop("r", "now"),
        lambda: live.read("r", "0", 1),
        lambda: live.first_id("r"),
        lambda: live.signals("r"),
        lambda: names.next_number("a"),
    )
    for call in calls:
        with pytest.raises(StoreUnavailable):
            call()
