"""What a child says, as it goes into the record and the run's files."""

import csv
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.records import a_run
from trainyard.errors import OwnershipLost, StorageUnavailable
from trainyard.lease import LeaseRules
from trainyard.registry.runs import RunRegistry
from trainyard.runs import events
from trainyard.runs.record import MetricSummary, Run
from trainyard.storage import metric_rows
from trainyard.storage.files import RunFolder, Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.storage.metric_rows import read_rows, write_rows
from trainyard.store.connection import connect
from workers.runs.files import attempt_files
from workers.runs.files.attempt_files import AttemptFiles
from workers.runs.reports import RunReports

ROW = {"epoch": 1, "train_loss": 0.5}
EPOCH_END = events.EpochEnd(epoch=1, step=4, metrics=ROW)


class WatchedRegistry(RunRegistry):
    """Calls back when a record is about to change."""

    before_update: Callable[[], None] = staticmethod(lambda: None)

    def update(self, held: Run, **values: Any) -> Run:
        self.before_update()
        return super().update(held, **values)


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path / "storage")


@pytest.fixture
def runs(server, storage):
    registry = WatchedRegistry(connect(server.url), storage, LeaseRules(lease_s=60))
    registry.submit(a_run(1))
    return registry


def reports(runs: RunRegistry, storage: Storage, run: Run) -> RunReports:
    files = AttemptFiles(storage.run(run.id), run.fence)
    files.begin(run.checkpoints, run.metrics_of)
    return RunReports(runs, run, storage.run(run.id), files)


def test_who_reads_that_an_epoch_is_over_finds_its_row(runs, storage):
    held = runs.claim("train", "me")
    telling = reports(runs, storage, held)
    seen = []
    runs.before_update = lambda: seen.append(read_rows(storage.run(held.id), held.fence))
    telling.add(EPOCH_END)
    telling.post()
    assert seen == [[ROW]], "the row is there before the record counts the epoch"
    assert (runs.get(held.id).epoch, runs.get(held.id).step) == (1, 4)


def test_a_row_of_a_run_held_by_another_goes_nowhere(runs, storage):
    held = runs.claim("train", "me")
    telling = reports(runs, storage, held)
    runs.release(held)
    runs.claim("train", "another")
    telling.add(EPOCH_END)
    with pytest.raises(OwnershipLost):
        telling.post()
    assert not storage.run(held.id).metrics_json.exists()


def test_what_a_late_supervisor_writes_changes_no_row_of_its_successor(runs, storage, monkeypatch):
    """It is frozen just before it writes a row, and wakes when its successor is two epochs further."""
    folder = storage.run(runs.get(a_run(1).id).id)
    late = reports(runs, storage, runs.claim("train", "me"))
    tell(late, epoch_end(1), saved(folder, late, 1))
    write = metric_rows.write_rows

    def frozen(*arguments: Any) -> None:
        monkeypatch.setattr(attempt_files, "write_rows", write)
        runs.release(late.run)
        successor = reports(runs, storage, runs.claim("train", "another"))
        tell(
            successor,
            *(one for epoch in (2, 3) for one in (epoch_end(epoch), saved(folder, successor, epoch))),
        )
        write(*arguments)

    monkeypatch.setattr(attempt_files, "write_rows", frozen)
    with pytest.raises(OwnershipLost):
        tell(late, epoch_end(2))
    assert shown_epochs(runs, folder) == [1, 2, 3]


def test_a_late_mirror_does_not_put_old_rows_in_place_for_good(runs, storage):
    late = reports(runs, storage, runs.claim("train", "me"))
    folder = storage.run(late.run.id)
    tell(late, epoch_end(1), saved(folder, late, 1))
    runs.release(late.run)
    successor = reports(runs, storage, runs.claim("train", "another"))
    tell(successor, epoch_end(2))
    runs._written(late.run)
    assert shown_epochs(runs, folder) == [1, 2]


def test_no_checkpoint_counts_without_the_rows_before_it(runs, storage, monkeypatch):
    """The volume was full when the row was written, and has room again for what follows."""
    telling = reports(runs, storage, runs.claim("train", "me"))
    folder = storage.run(telling.run.id)
    tell(telling, epoch_end(1), saved(folder, telling, 1))

    def full(*_: Any) -> None:
        raise StorageUnavailable("No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr(attempt_files, "write_rows", full)
        for event in (epoch_end(2), saved(folder, telling, 2)):
            with pytest.raises(StorageUnavailable):
                tell(telling, event)
    assert (runs.get(telling.run.id).checkpoints["last"].epoch, shown_epochs(runs, folder)) == (1, [1])
    tell(telling, saved(folder, telling, 2))
    assert (runs.get(telling.run.id).checkpoints["last"].epoch, shown_epochs(runs, folder)) == (2, [1, 2])


def test_rows_of_an_attempt_that_was_lost_stay_until_its_successor_has_some(runs, storage):
    lost = reports(runs, storage, runs.claim("train", "me"))
    folder = storage.run(lost.run.id)
    tell(lost, epoch_end(1), saved(folder, lost, 1), epoch_end(2))
    runs.release(lost.run)
    for _ in range(2):
        successor = reports(runs, storage, runs.claim("train", "another"))
        assert shown_epochs(runs, folder) == [1, 2]
        runs.release(successor.run)
    third = reports(runs, storage, runs.claim("train", "a third"))
    tell(third, saved(folder, third, 1, step=7))
    assert shown_epochs(runs, folder) == [1, 2], "an attempt drained before its first epoch keeps them, too"
    tell(third, epoch_end(2))
    assert shown_epochs(runs, folder) == [1, 2]
    reports(runs, storage, again(runs, third.run))
    assert {path.name for path in folder.attempts.iterdir()} == {"4", "5"}


def test_followers_hear_nothing_from_a_supervisor_that_is_late(runs, storage):
    late = reports(runs, storage, runs.claim("train", "me"))
    tell(late, events.SignalApplied(signal="stop", version=1, value="now", epoch=1, step=4))
    runs.release(late.run)
    runs.claim("train", "another")
    with pytest.raises(OwnershipLost):
        tell(late, events.SignalApplied(signal="stop", version=2, value="now", epoch=1, step=4))
    late.add(events.Progress(stage="train", epoch=1, epochs=2, step=4, steps_per_epoch=4, loss=None,
                             images_per_second=None, eta_seconds=None))  # fmt: skip
    with pytest.raises(OwnershipLost):
        late.stream_progress()
    told = [event["version"] for _, event in runs.live.read(late.run.id, "0", 1)]
    kept = [json.loads(line)["version"] for line in storage.run(late.run.id).events.read_text().splitlines()]
    assert (told, kept) == ([1], [1])


def test_a_run_of_an_earlier_version_keeps_its_rows(runs, storage):
    first = reports(runs, storage, runs.claim("train", "me"))
    folder = storage.run(first.run.id)
    tell(first, saved(folder, first, 1))
    write_rows(folder, 0, [row(1)])
    held = runs.update(first.run, metrics_of=0)
    assert shown_epochs(runs, folder) == [1]
    successor = reports(runs, storage, again(runs, held))
    tell(successor, epoch_end(2))
    assert shown_epochs(runs, folder) == [1, 2]


def test_an_event_that_storage_does_not_take_is_written_later(runs, storage):
    telling = reports(runs, storage, runs.claim("train", "me"))
    file = storage.run(telling.run.id).events
    file.mkdir()
    for number in (1, 2):
        telling.add(events.Notice(message=f"notice {number}"))
        telling.post()
        with pytest.raises(StorageUnavailable):
            telling.keep()
    file.rmdir()
    tell(telling, epoch_end(1))
    streamed = [event_id for event_id, _ in runs.live.read(telling.run.id, "0", 1)]
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [one["id"] for one in kept] == streamed
    assert [one.get("message") for one in kept] == ["notice 1", "notice 2", None]


def test_a_notice_is_told_once_of_all_attempts(runs, storage):
    notices = [events.Notice(message="class a is never seen"), events.Notice(message="class b is never seen")]
    first = reports(runs, storage, runs.claim("train", "me"))
    tell(first, notices[0], notices[0])
    second = reports(runs, storage, again(runs, first.run))
    tell(second, *notices)
    assert runs.get(second.run.id).notices == tuple(one.message for one in notices)
    kept = storage.run(second.run.id).events.read_text().splitlines()
    assert [json.loads(line)["message"] for line in kept] == [one.message for one in notices]


def row(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "train_loss": 1 / epoch}


def epoch_end(epoch: int) -> events.EpochEnd:
    return events.EpochEnd(epoch=epoch, step=4 * epoch, metrics=row(epoch))


def saved(folder: RunFolder, of: RunReports, epoch: int, step: int | None = None) -> events.CheckpointSaved:
    """A checkpoint that lies where the attempt writes them."""
    step = step or 4 * epoch
    stored = f".saved/{step}.ckpt"
    path = folder.attempt(of.run.fence).path / stored
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"weights of step {step}")
    write_json(path.with_name(f"{path.name}.json"), {"epoch": epoch})
    return events.CheckpointSaved(
        kinds=("last",), epoch=epoch, step=step, file="last.ckpt", stored=stored,
        bytes=path.stat().st_size, sha256=f"{step}", after=None,
    )  # fmt: skip


def tell(telling: RunReports, *said: events.Event) -> None:
    for event in said:
        telling.add(event)
    telling.post()
    telling.keep()


def again(runs: RunRegistry, held: Run) -> Run:
    """The run's next attempt."""
    runs.release(held)
    return runs.claim("train", "the next")


def shown_epochs(runs: RunRegistry, folder: RunFolder) -> list[int]:
    """The epochs of the run's rows, which all that show them agree on."""
    run = runs.get(folder.path.name)
    shown = [one["epoch"] for one in read_rows(folder, run.metrics_of)]
    assert [one["epoch"] for one in read_json(folder.metrics_json)["rows"]] == shown
    with folder.metrics_csv.open(newline="") as file:
        assert [int(one["epoch"]) for one in csv.DictReader(file)] == shown
    return shown


def test_the_record_tells_what_the_rows_come_to(runs, storage):
    telling = reports(runs, storage, runs.claim("train", "me"))
    for epoch, miou in ((1, 0.25), (2, 0.75), (3, None), (4, 0.5), (4, 0.625)):  # the last one trained again
        row = {"epoch": epoch, "train_loss": 0.5, "val_miou": miou, "val_loss": miou and 1 - miou}
        telling.add(events.EpochEnd(epoch=epoch, step=epoch, metrics={**row, "val_iou/a": miou}))
        telling.post()
    run = runs.get(telling.run.id)
    assert run.metrics["val_miou"] == MetricSummary(best=0.75, best_epoch=2, last=0.625, last_epoch=4)
    assert run.metrics["train_loss"].best_epoch == 1, "the first of equals"
    assert run.best_row == {"epoch": 2, "train_loss": 0.5, "val_miou": 0.75, "val_loss": 0.25}
    assert run.last_row["val_miou"] == 0.625
