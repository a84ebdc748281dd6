"""What the rows of a run's metrics come to: best and newest row, best and newest value of each metric."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from trainyard.plugins.offers import metric_of
from trainyard.runs.record import MetricSummary
from trainyard.tasks.registry import direction_of, monitors

Row = Mapping[str, Any]
_OF_A_CLASS = "/"
"""In the names of columns that tell of a single class: up to 255 of them, for which lists have no use."""


def summarize(rows: Sequence[Row], monitor: str) -> dict[str, Any]:
    """`metrics`, `best_row` and `last_row` of a run's record, as JSON data; rows are in order of epochs.

    The best row is the validated one whose `monitor` is best, the first of equals.
    """
    best: Row | None = None
    for row in rows:
        if row.get("val_loss") is not None and (best is None or is_better(row, best, monitor)):
            best = row
    of_plugins = {name: None for row in rows for name in row if metric_of(name)}
    found = {name: metric_summary(rows, name) for name in (*monitors(), *of_plugins)}
    return {
        "metrics": {name: asdict(one) for name, one in found.items() if one},
        "best_row": _of_all_classes(best) if best else None,
        "last_row": _of_all_classes(rows[-1]) if rows else None,
    }


def metric_summary(rows: Iterable[Row], name: str) -> MetricSummary | None:
    """Best and newest finite value of a metric that may be monitored; None where there is none."""
    values = [(row[name], row["epoch"]) for row in rows if is_finite(row.get(name))]
    if not values:
        return None
    sign = 1 if direction_of(name) == "max" else -1
    best, best_epoch = max(values, key=lambda one: (sign * one[0], -one[1]))
    last, last_epoch = values[-1]
    return MetricSummary(best=best, best_epoch=best_epoch, last=last, last_epoch=last_epoch)


def is_better(row: Row, best: Row, monitor: str) -> bool:
    """Whether a validated epoch is better than another by a metric that may be monitored.

    Where that of either is unknown, because validation holds no labelled pixel, the lower validation loss
    decides.
    """
    known = row.get(monitor) is not None and best.get(monitor) is not None
    metric = monitor if known else "val_loss"
    if direction_of(metric) == "max":
        return bool(row[metric] > best[metric])
    return bool(row[metric] < best[metric])


def is_finite(value: Any) -> bool:
    """Whether a row's value is a number that can be compared: neither absent nor NaN nor infinite."""
    return isinstance(value, int | float) and math.isfinite(value)


def _of_all_classes(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if _OF_A_CLASS not in name}
