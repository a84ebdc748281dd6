"""What monitors of Celery are told of attempts, over a real Redis."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import redis
from kombu.exceptions import OperationalError

from tests.unit.outages import Server
from tests.unit.records import a_run
from tests.waits import wait_for
from trainyard.datasets.record import Dataset, DatasetStatus, RefusedChange
from trainyard.runs.record import AttemptRecord, RunStatus
from trainyard.scheduling import attempt_events
from trainyard.scheduling.attempt_events import AttemptEvents
from trainyard.scheduling.attempt_tasks import ended, lost
from trainyard.scheduling.wake_ups import make_celery
from trainyard.store.connection import connect

AWAY = (OSError, OperationalError, redis.RedisError)
RUN = a_run(1, fence=1, started_at=5.0, status=RunStatus.RUNNING)


class Monitor:
    """Hears events as Flower does, from when it is made."""

    def __init__(self, url: str) -> None:
        self.heard: list[dict[str, Any]] = []
        self._receiver: Any = None
        self._is_over = False
        self._app = make_celery(url)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._is_over:
            with (
                suppress(OSError, OperationalError, redis.RedisError),
                self._app.connection_for_read() as connection,
            ):
                self._receiver = self._app.events.Receiver(connection, handlers={"*": self.heard.append})
                self._receiver.capture(limit=None, timeout=None, wakeup=False)

    def kinds(self, task_id: str) -> list[str]:
        return [event["type"] for event in self.heard if event["uuid"] == task_id]

    def close(self) -> None:
        self._is_over = self._receiver.should_stop = True
        self._thread.join()


@pytest.fixture
def monitor(server: Server) -> Iterator[Monitor]:
    running = Monitor(server.url)
    yield running
    running.close()


def test_what_is_in_work_is_told_again_to_a_monitor_that_came_later(server: Server, monitor, monkeypatch):
    monkeypatch.setattr(attempt_events, "AGAIN_S", 0.2)
    events = AttemptEvents(make_celery(server.url), "train-1@here")
    events.begin(RUN)
    wait_for(lambda: monitor.kinds(f"{RUN.id}.1").count("task-started"), lambda times: times >= 2)
    assert {event["timestamp"] for event in monitor.heard} == {5.0}
    events.end(RUN, None)
    events.close()


def test_an_end_is_told_once_redis_is_back(server: Server, monkeypatch, caplog):
    monkeypatch.setattr(attempt_events, "RETRY_S", 3600.0)
    events = AttemptEvents(make_celery(server.url), "train-1@here")
    events.begin(RUN)
    server.kill()
    events.end(RUN, a_run(1, fence=1, status=RunStatus.STOPPED))
    wait_for(lambda: "are told" in caplog.text)
    server.start()
    monitor = Monitor(server.url)
    wait_for(connect(server.url).pubsub_numpat)
    events.begin(a_run(2, fence=1, started_at=6.0))  # which has it try again
    wait_for(lambda: "task-revoked" in monitor.kinds(f"{RUN.id}.1"))
    events.close()
    monitor.close()


def test_a_process_that_ends_while_redis_is_away_does_not_wait_for_it(server: Server, monkeypatch):
    events = AttemptEvents(make_celery(server.url), "train-1@here")
    server.kill()
    events.begin(RUN)
    monkeypatch.setattr(attempt_events, "LAST_S", 0.1)
    events.close()
    server.start()


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        ("completed", "completed", "task-succeeded"),
        ("finishing", "trained", "task-succeeded"),
        ("finishing", "drained", "task-retried"),
        ("queued", "drained", "task-retried"),
        ("queued", "worker_lost", "task-retried"),
        ("stopped", "stopped", "task-revoked"),
        ("cancelled", "cancelled", "task-revoked"),
        ("failed", "nan_loss", "task-failed"),
        ("failed", "revoked", "task-revoked"),
    ],
)
def test_how_a_run_stands_says_how_its_attempt_ended(status: str, reason: str, kind: str):
    attempt = AttemptRecord(attempt=1, worker="here:1:ab", started_at=5.0, reason=reason)
    run = a_run(
        1, fence=1, status=RunStatus(status), attempts=(attempt,), error={"code": reason, "message": ""}
    )
    assert ended(run, "train-1@here").kind == kind


def test_a_set_that_was_lost_shows_under_the_worker_that_had_it():
    values = {"id": "ds-000000000001", "name": "d", "project": "p", "created_at": 0.0, "fence": 1}
    told = lost(Dataset(**values, last_owner="far:7:ab"))
    assert (told.node, told.kind) == ("ingest-7@far", "task-retried")
    assert lost(Dataset(**values)).node.startswith("ingest@"), "a record of before it was told"


def test_a_change_of_a_set_that_was_refused_has_failed():
    dataset = Dataset(id="ds-000000000001", name="d", project="p", created_at=0, status=DatasetStatus.READY)
    assert ended(dataset, "ingest-1@here").kind == "task-succeeded"
    change = RefusedChange(options=dataset.options, error={"code": "bad_dataset", "message": "No masks."})
    told = ended(Dataset(**{**vars(dataset), "refused_change": change}), "ingest-1@here")
    assert (told.kind, told.fields["exception"]) == ("task-failed", "bad_dataset: No masks.")
