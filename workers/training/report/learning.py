"""The run's metrics rows as curves and times."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Series = list[tuple[float, float]]
"""(epoch, value) of the epochs that have the value."""


@dataclass(frozen=True, kw_only=True)
class Learning:
    """Curves over epochs, and the sums of what the epochs took; seconds are None before any epoch.

    `training_seconds` is the time of training batches, `validation_seconds` the rest of the epochs.
    """

    curves: dict[str, Series]
    epochs: int
    training_seconds: float | None
    validation_seconds: float | None
    images_per_second: float | None


def read_learning(table: Path, train_images: int, columns: Sequence[str]) -> Learning:
    """From those columns of `metrics.csv`; `train_images` is the number of images of a training epoch."""
    rows: list[dict[str, str]] = []
    if table.exists():
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    curves = {name: _series(rows, name) for name in columns}
    total = sum(float(row["epoch_seconds"]) for row in rows)
    training = sum(train_images / float(row["images_per_second"]) for row in rows)
    return Learning(
        curves=curves,
        epochs=len(rows),
        training_seconds=training if rows else None,
        validation_seconds=max(0.0, total - training) if rows else None,
        images_per_second=len(rows) * train_images / training if rows else None,
    )


def _series(rows: list[dict[str, str]], name: str) -> Series:
    return [(float(row["epoch"]), float(row[name])) for row in rows if row.get(name)]
