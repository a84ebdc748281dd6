"""What a child says of its run, on its way into the record, the run's files and the event stream."""

import time
from collections import deque
from dataclasses import asdict, replace
from typing import Any

from trainyard.errors import StorageUnavailable
from trainyard.registry.event_log import keep
from trainyard.registry.runs import RunRegistry
from trainyard.runs import events
from trainyard.runs.metric_summary import summarize
from trainyard.runs.record import Run
from trainyard.spec.training_spec import with_batches
from trainyard.storage.files import RunFolder
from workers.runs.files.attempt_files import AttemptFiles

PROGRESS_EVERY_S = 1.0
"""How often progress goes into the event stream."""


class RunReports:
    """Keeps what was said until Redis has it. Only while the run is held, which every write checks.

    Methods raise OwnershipLost, StoreUnavailable, after which the same may be tried again, and
    StorageUnavailable: `post` for a row of metrics or a checkpoint, without which the attempt cannot go on.
    """

    def __init__(self, runs: RunRegistry, run: Run, folder: RunFolder, files: AttemptFiles) -> None:
        self.run = run
        """The record as it now stands."""
        self.progress: events.Progress | None = None
        """The newest that has not been told yet."""
        self.stage: events.Stage = "starting"
        self._runs = runs
        self._folder = folder
        self._files = files
        self._outbox: deque[events.Event] = deque()
        self._unkept: deque[tuple[str, events.Event]] = deque()
        self._streamed_at = 0.0

    @property
    def are_told(self) -> bool:
        """Whether nothing waits to be told."""
        return not self._outbox

    def add(self, event: events.Event) -> None:
        """Take what the child said."""
        if isinstance(event, events.Progress):
            self.progress, self.stage = event, event.stage
        else:
            self._outbox.append(event)

    def post(self) -> None:
        """Tell all but progress, in order; after StorageUnavailable, what was being told is dropped."""
        while self._outbox:
            event = self._outbox[0]
            try:
                if not self._is_known(event):
                    self._record(event)
                    self._unkept.append((self._runs.stream(self.run, event), event))
            except StorageUnavailable:
                self._outbox.popleft()
                raise
            self._outbox.popleft()

    def keep(self) -> None:
        """Put what was told into events.jsonl; what storage does not take now may be tried again."""
        while self._unkept:
            keep(self._folder, *self._unkept[0])
            self._unkept.popleft()

    def stream_progress(self) -> None:
        """Let followers know where the run is, now and then."""
        now = time.monotonic()
        if self.progress and now - self._streamed_at >= PROGRESS_EVERY_S:
            self._runs.stream(self.run, self.progress)
            self.progress, self._streamed_at = None, now

    def update(self, **values: Any) -> Run:
        """Change fields of the record."""
        self.run = self._runs.update(self.run, **values)
        return self.run

    def settle(self, **values: Any) -> None:
        """As `update`; storage has it, and what it names is in its place, when this returns."""
        self.run = self._runs.settle(self.run, **values)

    def _is_known(self, event: events.Event) -> bool:
        """Whether an earlier attempt has said the same to the user."""
        return isinstance(event, events.Notice) and event.message in self.run.notices

    def _record(self, event: events.Event) -> None:
        """What of an event belongs to the record, and to the files that the record names."""
        if isinstance(event, events.EpochEnd):
            # Who reads that an epoch is over finds its row: it goes first.
            self._files.add_row(event.metrics)
            summary = summarize(self._files.rows, self.run.spec.checkpoints.monitor)
            self.update(epoch=event.epoch, step=event.step, metrics_of=self.run.fence, **summary)
        elif isinstance(event, events.CheckpointSaved):
            self._files.keep_rows()
            file = (self._files.own.path / event.stored).relative_to(self._folder.path).as_posix()
            self.run = self._runs.commit(self.run, event, file)
            self._files.board_is_due = True
        elif isinstance(event, events.AttemptStarted):
            *earlier, present = self.run.attempts
            history = [*earlier, replace(present, device=event.device)]
            self.update(attempts=[asdict(one) for one in history])
        elif isinstance(event, events.Notice):
            self.update(notices=[*self.run.notices, event.message])
        elif isinstance(event, events.BatchSizeChanged):
            spec = with_batches(self.run.spec, event.batch_size, event.accumulate_batches)
            self.update(spec=spec.to_dict())
        elif isinstance(event, events.WeightsLoaded) and self.run.forked_from:
            self.update(forked_from=asdict(replace(self.run.forked_from, **asdict(event))))
