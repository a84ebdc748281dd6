"""Lightning's CSV and TensorBoard logs in the run's folder, fed one row per epoch."""

import csv
from collections.abc import Sequence
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from trainyard.storage import RunFolder

Row = dict[str, Any]


def make_loggers(folder: RunFolder, finished_epochs: int) -> list[Logger]:
    """The logs `metrics.csv` and `tensorboard/`; rows of finished epochs are kept.

    Lightning's CSV log deletes the file it finds, so the rows that count are read before and written
    back at once.
    """
    kept = _read_rows(folder, finished_epochs)
    table = CSVLogger(folder.path, name="", version="", flush_logs_every_n_steps=1)
    for row in kept:
        table.log_metrics(row, step=int(row["step"]))
    board = TensorBoardLogger(folder.path, name="tensorboard", version="", default_hp_metric=False)
    return [table, board]


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
