"""Housekeeping: whatever one part of it runs into, the others go on, and so do signs of life."""

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError

from tests.unit.records import a_run
from tests.waits import wait_for
from trainyard.datasets.record import Dataset
from trainyard.errors import NotFound, Unreadable
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.models import ModelRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling import housekeeping as module
from trainyard.scheduling.admission import Admission
from trainyard.scheduling.attempt_events import AttemptEvents
from trainyard.scheduling.housekeeping import Housekeeper
from trainyard.scheduling.projects import Projects
from trainyard.scheduling.reindex import Reindex
from trainyard.scheduling.wake_ups import TASKS, Notifier, make_celery
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store import keys
from trainyard.store.connection import Client, connect
from trainyard.store.processes.turns import Turns
from trainyard.store.processes.worker_record import Housekeeping
from trainyard.store.resources.project_store import ProjectStore
from trainyard.store.runs.limits import LimitStore

RULES = LeaseRules(lease_s=30)
SET_ID = a_run(0).dataset_id


class House:
    """Everything that a housekeeper looks after, on a real Redis."""

    def __init__(self, url: str, root: Path) -> None:
        self.client: Client = connect(url)
        self.storage = Storage(root)
        self.runs = RunRegistry(self.client, self.storage, RULES)
        self.datasets = DatasetRegistry(self.client, self.storage, RULES)
        self.models = ModelRegistry(self.client, self.storage)
        self.limits = Projects(LimitStore(self.client), ProjectStore(self.client), self.storage)
        self.reindex = Reindex(self.client, self.storage, self.datasets, self.runs)
        self.beats: list[Housekeeping] = []
        self.notified: list[str] = []
        celery = make_celery(url)
        self.notifier, self.events = Notifier(celery, self.client), AttemptEvents(celery)
        self.notifier.notify = lambda queue: bool(self.notified.append(queue)) or True  # type: ignore[method-assign]

    def housekeeper(self, beat: Callable[[Housekeeping], None] | None = None) -> Housekeeper:
        admission = Admission(self.runs, self.datasets, self.storage)
        parts = (
            self.runs,
            self.datasets,
            self.models,
            (),
            self.limits,
            self.reindex,
            admission,
            self.notifier,
        )
        return Housekeeper(
            *parts, self.events, Turns(self.client), LeaseRules(lease_s=3), beat or self.beats.append
        )


@pytest.fixture
def house(redis_url: str, tmp_path: Path) -> Iterator[House]:
    made = House(redis_url, tmp_path)
    made.datasets.submit(Dataset(id=SET_ID, name="d", project="a", created_at=0))
    yield made
    made.client.close()


def with_work(house: House) -> tuple[str, str, str]:
    """A run whose lease has lapsed, one whose file is behind and one that lost its queue; their ids."""
    for number in (1, 2, 3):
        house.runs.submit(a_run(number, queue="cpu"))
    lapsed = house.runs.claim("cpu", "gone")
    assert lapsed
    house.client.zadd(keys.leases("run"), {lapsed.id: 1})
    behind, unqueued = (a_run(number).id for number in (2, 3))
    house.runs._store.edit(behind, {"notes": "new"})
    house.client.delete(keys.queue("cpu"))
    return lapsed.id, behind, unqueued


def assert_all_is_done(house: House, ids: tuple[str, str, str]) -> None:
    lapsed, behind, unqueued = ids
    assert house.runs.get(lapsed).status == "queued"
    assert read_json(house.storage.run(behind).record)["notes"] == "new"
    assert house.client.zscore(keys.queue("cpu"), unqueued) is not None
    assert "cpu" in house.notified


def test_one_look_does_all_that_is_due(house: House):
    ids = with_work(house)
    housekeeper = house.housekeeper()
    assert housekeeper.housekeeping == Housekeeping()
    housekeeper.look()
    assert_all_is_done(house, ids)
    assert housekeeper.housekeeping.seconds_ago is not None
    house.notified.clear()
    housekeeper.look()
    assert housekeeper.housekeeping.is_stalled is False


FAULTS: dict[str, Callable[[], Exception]] = {
    "stale handle": lambda: OSError(errno.ESTALE, "Stale file handle"),
    "deleted between two calls": lambda: NotFound("There is no run."),
    "not valid": lambda: ValidationError({"spec": ["wrong"]}),
    "not readable": lambda: Unreadable("there is no spec"),
    "unforeseen": lambda: KeyError("x"),
}
PLACES = ("runs.reap", "datasets.reap", "runs.repair_mirrors", "datasets.repair_mirrors", "limits.restore")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", PLACES)
def test_a_fault_of_one_part_ends_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str, fault: str
):
    ids = with_work(house)
    owner, _, name = place.partition(".")
    with monkeypatch.context() as patched:
        patched.setattr(getattr(house, owner), name, lambda: _raise(FAULTS[fault]()))
        housekeeper = house.housekeeper()
        housekeeper.look()
    assert house.client.zscore(keys.queue("cpu"), ids[2]) is not None
    assert "cpu" in house.notified
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.exc_info
    assert housekeeper.housekeeping.seconds_ago is not None
    house.notified.clear()
    house.client.delete(f"{keys.PREFIX}kick:cpu")
    house.housekeeper().look()
    assert_all_is_done(house, ids)


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_one_record_ends_no_other(house: House, monkeypatch: pytest.MonkeyPatch, fault: str):
    """In reaping and in writing records, for whichever record it happens."""
    for number in (1, 2, 3):
        house.runs.submit(a_run(number, queue="cpu"))
        held = house.runs.claim("cpu", "gone")
        assert held
        house.client.zadd(keys.leases("run"), {held.id: number})
    write = RunRegistry._write

    def write_but_one(self: RunRegistry, record: Any) -> None:
        if record.id == a_run(2).id:
            raise FAULTS[fault]()
        write(self, record)

    monkeypatch.setattr(RunRegistry, "_write", write_but_one)
    house.housekeeper().look()
    assert [house.runs.get(a_run(number).id).status for number in (1, 2, 3)] == ["queued"] * 3
    for number in (1, 3):
        assert read_json(house.storage.run(a_run(number).id).record)["status"] == "queued"


def test_a_file_that_is_no_json_is_told_of_and_ends_nothing(house: House, caplog: pytest.LogCaptureFixture):
    ids = with_work(house)
    house.storage.projects.write_text("{")
    house.client.delete(keys.limits("run"))
    broken = house.storage.run("run-0000000000ff")
    broken.path.mkdir(parents=True)
    broken.record.write_text("no JSON")
    housekeeper = house.housekeeper()
    housekeeper.compare()
    housekeeper.look()
    assert_all_is_done(house, ids)
    assert "run-0000000000ff" in caplog.text
    assert "projects.json" in caplog.text


@pytest.fixture
def stopped() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_signs_of_life_wait_for_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, stopped: threading.Event
):
    """Storage hangs, in housekeeping and in the comparison: beats go on and say so."""
    monkeypatch.setattr(module, "STALLED_S", 0.2)
    monkeypatch.setattr(module, "FIRST_COMPARISON_S", 0.1)
    hangs = threading.Event()
    monkeypatch.setattr(house.runs, "reap", hangs.wait)
    monkeypatch.setattr(house.reindex, "ensure", hangs.wait)
    housekeeper = house.housekeeper()
    housekeeper.start(stopped)
    wait_for(lambda: len(house.beats) > 3 and house.beats[-1].is_stalled)
    assert housekeeper.housekeeping == Housekeeping(seconds_ago=None, is_stalled=True)
    monkeypatch.undo()
    hangs.set()
    wait_for(lambda: not house.beats[-1].is_stalled)
    wait_for(lambda: house.beats[-1].seconds_ago is not None)


def test_signs_of_life_go_on_after_one_that_failed(
    house: House, monkeypatch: pytest.MonkeyPatch, stopped: threading.Event
):
    failures = iter([OSError(errno.ESTALE, "stale"), ValueError("x")])

    def beat(state: Housekeeping) -> None:
        if error := next(failures, None):
            raise error
        house.beats.append(state)

    house.housekeeper(beat).start(stopped)
    wait_for(lambda: len(house.beats) > 1)


@pytest.mark.parametrize(
    "lost",
    [
        ["ty:q:gpu", "ty:q:gpu:of:a", "ty:q:gpu:projects"],
        ["ty:q:gpu"],
        ["ty:q:gpu:of:a"],
        ["ty:q:gpu:projects"],
    ],
)
def test_a_queue_that_redis_lost_alone_is_rebuilt(house: House, lost: list[str]):
    for number in range(1, 6):
        house.runs.submit(a_run(number, queue="gpu", priority=number))
    before = house.client.zrange(keys.queue("gpu"), 0, -1, withscores=True)
    house.client.delete(*lost)
    assert house.runs.requeue_lost()
    assert house.runs.requeue_lost() == []
    assert house.client.zrange(keys.queue("gpu"), 0, -1, withscores=True) == before
    assert house.client.zrange("ty:q:gpu:of:a", 0, -1, withscores=True) == before
    assert house.client.smembers("ty:q:gpu:projects") == {"a"}
    claimed = [house.runs.claim("gpu", "w") for _ in range(6)]
    assert [run and run.priority for run in claimed] == [5, 4, 3, 2, 1, None]
    assert house.runs.requeue_lost() == []


def test_many_waiting_runs_are_looked_at_in_parts(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trainyard.store.records.REQUEUED_AT_ONCE", 2)
    for number in range(1, 6):
        house.runs.submit(a_run(number, queue="gpu"))
    house.client.delete("ty:q:gpu")
    assert sorted(house.runs.requeue_lost()) == [a_run(number).id for number in range(1, 6)]


def test_reindex_rebuilds_a_lost_queue(house: House):
    house.runs.submit(a_run(1, queue="gpu"))
    house.client.delete("ty:q:gpu", "ty:q:gpu:of:a", "ty:q:gpu:projects")
    assert house.reindex.rebuild().counts == {"same": 2, "requeued": 1}
    assert house.client.zcard(keys.queue("gpu")) == 1
    assert set(TASKS) >= {"gpu"}


def test_as_many_messages_are_sent_as_work_waits_and_no_more(house: House):
    """Workers that all begin together have one each at once."""
    notified: list[str] = []
    notifier = Notifier(make_celery("redis://127.0.0.1:1/0"), house.client)
    notifier.notify = lambda queue: bool(notified.append(queue) or True)  # type: ignore[method-assign]
    for number in range(5):
        run = a_run(100 + number, queue="cpu")
        house.runs.submit(run)
    house.client.lpush(keys.celery_queue("cpu"), "one that is on its way")
    notifier.ensure_notified("cpu")
    notifier.ensure_notified("cpu")
    assert notified == ["cpu"] * 4, "the second look comes too soon"
