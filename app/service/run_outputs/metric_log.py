"""A run's CSV log of metrics as numbers."""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Cell: TypeAlias = float | int | str | None
Row: TypeAlias = dict[str, Cell]

PLACES = ("epoch", "step")
"""Columns that tell where a row is of, and measure nothing."""


@dataclass(frozen=True, kw_only=True)
class MetricLog:
    """The rows of a log; `path` is None, and there are none, before the first epoch has ended.

    `modified_at` is in seconds since 1970, UTC.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    path: Path | None = None
    modified_at: float | None = None

    @property
    def max_epoch(self) -> int:
        """The last epoch that has a row, 0 without any."""
        return _highest(self.rows, "epoch")

    @property
    def max_step(self) -> int:
        """The last step that a row tells, 0 without any."""
        return _highest(self.rows, "step")

    def best(self) -> dict[str, float]:
        """The best value of each metric that has one: the lowest of a loss, the highest of any other."""
        found = {}
        for name in self.columns:
            values = [value for row in self.rows if isinstance(value := row[name], int | float)]
            if name not in PLACES and values:
                found[name] = min(values) if "loss" in name else max(values)
        return found

    def final(self) -> Row:
        """The last row, with the newest value of what it has none of."""
        found: Row = {}
        for row in self.rows:
            found |= {name: value for name, value in row.items() if value is not None or name not in found}
        return found


def read_log(path: Path | None) -> MetricLog:
    """The log at that path; without one, or where it is empty, one without rows. Raises OSError."""
    if path is None:
        return MetricLog()
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, restval="")
        columns = tuple(reader.fieldnames or ())
        rows = tuple({name: _cell(row[name]) for name in columns} for row in reader)
    return MetricLog(columns=columns, rows=rows, path=path, modified_at=path.stat().st_mtime)


def _cell(text: str) -> Cell:
    """A number where it is one; None for an empty cell and for what is no number that JSON has."""
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else None


def _highest(rows: Iterable[Row], name: str) -> int:
    return max((int(value) for row in rows if isinstance(value := row.get(name), int | float)), default=0)
