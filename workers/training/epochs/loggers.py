"""Lightning's CSV and TensorBoard logs in the run's folder, fed one row per epoch."""

import csv
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from trainyard.storage.files import RunFolder
from workers.prepared.version import Uint8

logger = logging.getLogger(__name__)

Row = dict[str, Any]


class Board(TensorBoardLogger):
    """TensorBoard's log, which may be behind: rows that storage does not take go with the next one.

    The writer's thread ends with the first failure, so that the next row begins a file of its own;
    TensorBoard reads all that lie in the folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder.path, name=folder.tensorboard.name, version="", default_hp_metric=False)
        self._waiting: list[tuple[Mapping[str, float], int | None]] = []

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write a row, and those before it that wait."""
        self._waiting.append((metrics, step))
        try:
            for row, its_step in self._waiting:
                for name, value in row.items():
                    self.experiment.add_scalar(name, value, its_step)
            self.experiment.flush()
        except OSError as error:
            logger.warning("TensorBoard's files stay behind for now: %s", error.strerror)
            self._experiment = None
        else:
            self._waiting.clear()

    def show(self, name: str, picture: Uint8, step: int) -> None:
        """Write a picture, (H, W, 3) RGB; what storage does not take is left out, and logged."""
        try:
            self.experiment.add_image(name, picture, step, dataformats="HWC")
        except OSError as error:
            logger.warning("TensorBoard's files lack a picture: %s", error.strerror)
            self._experiment = None

    def save(self) -> None:
        """There are no hyperparameters to write: the record has the spec."""

    def finalize(self, status: str) -> None:
        """Close the file; what storage does not take now is in metrics.csv as well."""
        try:
            if self._experiment is not None:
                self._experiment.close()
        except OSError as error:
            logger.warning("TensorBoard's files lack the end: %s", error.strerror)


def make_loggers(folder: RunFolder, finished_epochs: int) -> list[Logger]:
    """The logs `metrics.csv` and `tensorboard/`; rows of finished epochs are kept.

    Lightning's CSV log deletes the file it finds, so the rows that count are read before and written
    back at once.
    """
    kept = _read_rows(folder, finished_epochs)
    table = CSVLogger(folder.path, name="", version="", flush_logs_every_n_steps=1)
    for row in kept:
        table.log_metrics(row, step=int(row["step"]))
    return [table, Board(folder)]


def log_row(loggers: Sequence[Logger], row: Row) -> None:
    """Write one epoch; the table keeps a column for a missing score, TensorBoard takes numbers only."""
    numbers = {name: value for name, value in row.items() if value is not None}
    for logger in loggers:
        logger.log_metrics(row if isinstance(logger, CSVLogger) else numbers, step=row["step"])


def _read_rows(folder: RunFolder, finished_epochs: int) -> list[Row]:
    if not folder.metrics_csv.exists():
        return []
    with folder.metrics_csv.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["epoch"]) <= finished_epochs]
