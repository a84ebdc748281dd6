"""What an attempt writes, in a folder of its own, and how it becomes the run's.

The child writes to `.attempts/<fence>/` and nowhere else; what others see is put there by the supervisor, and
only while the run is its own. Its rows of metrics, and its report, figures and exported files lie here, too,
and count by the record's word (`metric_rows.py`, `run_results.py`). So whoever was given up, child or
supervisor, may write on and harms nobody.
"""

import logging
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from trainyard.runs.checkpoints import Checkpoints
from trainyard.storage.errors import storage_error
from trainyard.storage.files import DELETED, RunFolder, remove_folder, remove_half_deleted
from trainyard.storage.json_files import write_text
from trainyard.storage.metric_rows import Row, as_csv, read_rows, rows_folder, write_rows
from trainyard.storage.run_results import clear_results

logger = logging.getLogger(__name__)

LOG_PIECE = 1 << 20
"""Bytes of the log that are carried over at a time."""


class AttemptFiles:
    """The files of one attempt. Methods raise StorageUnavailable; call them only while the run is held."""

    def __init__(self, run: RunFolder, fence: int) -> None:
        self._run = run
        self._fence = fence
        self.own = run.attempt(fence)
        """Where the child writes."""
        self.board_is_due = False
        """Whether TensorBoard's files have news that followers of the run should find."""
        self._log_read = 0
        self._rows: list[Row] = []
        self._rows_are_kept = False

    def begin(self, committed: Checkpoints, metrics_of: int) -> None:
        """Make the folder, and clear away what earlier attempts left uncommitted.

        The rows of metrics so far are those of the attempt `metrics_of`, which stay until this one's count.
        """
        if not committed:
            clear_results(self._run)
            metrics_of = 0
        self._rows = list(read_rows(self._run, metrics_of))
        try:
            self.own.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error("The attempt's folder could not be made", error) from error
        if self._rows:
            write_text(self.own.metrics_csv, as_csv(self._rows))  # the child goes on with it
        try:
            self.sweep(committed, metrics_of)
        except OSError as error:
            raise storage_error("Earlier attempts could not be cleared away", error) from error

    @property
    def rows(self) -> Sequence[Row]:
        """One for each finished epoch so far."""
        return self._rows

    def add_row(self, row: Row) -> None:
        """Add an epoch; one trained again replaces its row and later ones."""
        self._rows = [*(earlier for earlier in self._rows if earlier["epoch"] < row["epoch"]), row]
        self._rows_are_kept = False
        self.keep_rows()

    def keep_rows(self) -> None:
        """Write the rows, unless that is done: none is missing when a checkpoint that follows them counts."""
        if not self._rows_are_kept:
            write_rows(self._run, self._fence, self._rows)
            self._rows_are_kept = True

    def carry_log(self) -> None:
        """Add what is new in the attempt's log to the run's: each byte once, though a write fail half way."""
        try:
            if not self.own.log.exists():
                return  # the child has not begun to write
            with self.own.log.open("rb") as source:
                source.seek(self._log_read)
                while piece := source.read(LOG_PIECE):
                    self._run.log.parent.mkdir(parents=True, exist_ok=True)
                    with self._run.log.open("ab", buffering=0) as log:
                        while piece:
                            written = log.write(piece)
                            self._log_read += written
                            piece = piece[written:]
        except OSError as error:
            raise storage_error("The log could not be written", error) from error

    def place_board(self) -> None:
        """Put TensorBoard's files as they now are where the run's are, if they have news."""
        if not self.board_is_due:
            return
        try:
            for file in self.own.tensorboard.glob("events.*"):
                self._run.tensorboard.mkdir(parents=True, exist_ok=True)
                _copy_whole(file, self._run.tensorboard / file.name)
        except OSError as error:
            raise storage_error("TensorBoard's files could not be copied", error) from error
        self.board_is_due = False

    def drop_unfinished(self) -> None:
        """Delete what the child had begun to write when it ended.

        Storage that takes no changes keeps it, which is logged: the next attempt sweeps it away.
        """
        for place in (self.own.saved, self.own.figures, self.own.overlays, self.own.export):
            for file in place.rglob(".*.tmp*"):
                try:
                    file.unlink(missing_ok=True)
                except OSError as error:
                    logger.warning("%s could not be deleted: %s", file.name, error.strerror)

    def sweep(self, committed: Checkpoints, metrics_of: int) -> None:
        """Delete what earlier attempts left, but for the run's checkpoints and its rows of metrics; and what
        they had begun to delete."""
        kept = {self._run.path / one.file for one in committed.values()}
        rows = rows_folder(self._run, metrics_of).path
        for place in (self._run.path, self._run.attempts):
            for folder in place.glob(f".*{DELETED}"):
                remove_half_deleted(folder)
        for folder in self._earlier():
            saved = RunFolder(folder).saved
            if rows.parent != folder and not any(path.parent == saved for path in kept):
                remove_folder(folder)
                continue
            for file in saved.glob("*"):
                if file.with_name(file.name.removesuffix(".json")) not in kept:
                    file.unlink(missing_ok=True)

    def _earlier(self) -> list[Path]:
        names = [path.name for path in self._run.attempts.iterdir() if path.name.isdigit()]
        return [self._run.attempts / name for name in names if int(name) < self._fence]


def _copy_whole(source: Path, target: Path) -> None:
    """Copy aside and rename; raises OSError, and then leaves nothing of it: each tick tries again."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
