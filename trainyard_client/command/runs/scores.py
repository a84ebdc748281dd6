"""The metric by which a person tells how good a network of each task is."""

from collections.abc import Mapping
from typing import Any

_OF_VALIDATION = "val_"
HEADLINES = {"val_miou": "val mIoU", "val_acc1": "val acc@1", "val_map50": "val mAP50"}
"""That of each task, with its title."""


def score_of_row(row: Mapping[str, Any]) -> str | None:
    """The score in a row of metrics, with its title; None where it has none."""
    return _first({name: row.get(name) for name in HEADLINES})


def score_of_card(metrics: Mapping[str, Any] | None) -> str | None:
    """The same of a trained model's metrics, by split."""
    found = (metrics or {}).get("val") or {}
    return _first({name: found.get(name.removeprefix(_OF_VALIDATION)) for name in HEADLINES})


def _first(values: Mapping[str, Any]) -> str | None:
    known = {name: value for name, value in values.items() if isinstance(value, int | float)}
    return next((f"{HEADLINES[name]} {value:.4f}" for name, value in known.items()), None)
