"""The files of an experiment that tell how it stands: run.json, metrics, events; those of a service's run."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from trainyard.errors import TrainyardError
from trainyard.runs import events
from trainyard.runs.checkpoints import Checkpoint
from trainyard.runs.fork_origin import origin_file
from trainyard.runs.record import AttemptRecord, Run, RunStatus
from trainyard.spec.training_spec import with_batches
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json, write_json
from trainyard.storage.metric_rows import read_rows
from trainyard.store.codec import Codec

_codec = Codec(Run)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What an attempt trains: the experiment's folder and record, its prepared data set, and on what.

    `threads` are all cores by default; `device` is cpu or gpu, by default a GPU where there is one.
    """

    folder: RunFolder
    record: "LocalRecord"
    prepared: Path
    threads: int | None
    device: str | None

    @property
    def origin(self) -> Path | None:
        """The checkpoint that a fork begins with."""
        forked = self.record.run.forked_from
        return origin_file(self.folder, forked) if forked else None


def read_record(folder: RunFolder) -> Run:
    """The record; raises StorageUnavailable and Unreadable."""
    return _codec.from_json(read_json(folder.record))


class LocalRecord:
    """Keeps the record of one attempt as its events come. Methods raise StorageUnavailable."""

    def __init__(self, folder: RunFolder, run: Run) -> None:
        self.run = run
        self._folder = folder
        self._rows = read_rows(folder, 0)
        self._began = time.monotonic()
        self._used_before = run.used_seconds
        self._told = 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The metrics so far, a row for each finished epoch."""
        return self._rows

    def keep(self) -> None:
        """Write it as it stands."""
        self._change()

    def begin(self, device: str) -> None:
        """An attempt begins, on a device of that class; it goes on from the epochs of the record."""
        attempt = AttemptRecord(
            attempt=self.run.fence + 1, worker="local", started_at=time.time(), from_epoch=self.run.epoch
        )
        self._rows = [row for row in self._rows if row["epoch"] <= self.run.epoch]
        self._change(
            status=RunStatus.RUNNING,
            fence=attempt.attempt,
            queue=device,
            started_at=attempt.started_at,
            ended_at=None,
            error=None,
            attempts=(*self.run.attempts, attempt),
        )
        self._tell(events.StatusChanged(status=self.run.status, revision=self.run.revision))

    def take(self, event: events.Event, checkpoints: dict[str, Checkpoint]) -> None:
        """Take an event in; `checkpoints` are those that now count."""
        run = self.run
        match event:
            case events.Progress():
                return
            case events.EpochEnd(metrics=row):
                self._rows = [*(earlier for earlier in self._rows if earlier["epoch"] < row["epoch"]), row]
                write_json(self._folder.metrics_json, {"rows": self._rows})  # the engine writes metrics.csv
                self._change(epoch=event.epoch, step=event.step)
            case events.CheckpointSaved():
                self._change(checkpoints=checkpoints)
            case events.AttemptStarted(device=device):
                *earlier, present = run.attempts
                self._change(attempts=(*earlier, replace(present, device=device)))
            case events.Notice(message=message) if message not in run.notices:
                self._change(notices=(*run.notices, message))
            case events.BatchSizeChanged():
                self._change(spec=with_batches(run.spec, event.batch_size, event.accumulate_batches))
            case events.WeightsLoaded() if run.forked_from:
                self._change(forked_from=replace(run.forked_from, **asdict(event)))
        self._tell(event)

    def end(self, status: RunStatus, *, error: TrainyardError | None = None, **values: Any) -> None:
        """The attempt has ended."""
        *earlier, present = self.run.attempts
        ended = replace(
            present,
            ended_at=time.time(),
            reason=error.code if error else str(status),
            epochs=self.run.epoch - present.from_epoch,
        )
        told = {**error.to_dict(), "attempt": ended.attempt} if error else None
        self._change(status=status, attempts=(*earlier, ended), ended_at=ended.ended_at, error=told, **values)
        self._tell(events.StatusChanged(status=status, revision=self.run.revision, error=told))

    def _change(self, **values: Any) -> None:
        used = self._used_before + time.monotonic() - self._began
        revision = self.run.revision + 1
        self.run = replace(self.run, revision=revision, used_seconds=round(used, 3), **values)
        write_json(self._folder.record, _codec.to_json(self.run))

    def _tell(self, event: events.Event) -> None:
        self._told += 1
        line = json.dumps({"id": f"{time.time_ns() // 1_000_000}-{self._told}", **events.to_dict(event)})
        try:
            with self._folder.events.open("a") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise storage_error("events.jsonl could not be written", error) from error
