"""Training comes to what it came to when these runs were recorded: metrics, and the exported answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.training.recorded_runs import RUNS, answer_of, rows_of

RECORDED = json.loads((Path(__file__).parents[1] / "fixtures" / "recorded_runs.json").read_text())
LOGIT = {"multiclass": 0.015, "stored": 0.005}
"""By how much logits, at most 0.3 and 0.026, may differ: two processors came to 0.006 in the first, which has
weights of classes and variations."""


@pytest.mark.parametrize("name", ["binary", "multilabel"])
def test_epochs_have_the_metrics_that_they_had(name: str, tmp_path: Path) -> None:
    assert_alike(rows_of(RUNS[name](tmp_path), finish=False), RECORDED[name]["rows"])


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", ["multiclass", "stored"])
def test_the_exported_network_answers_as_it_did(name: str, tmp_path: Path) -> None:
    job = RUNS[name](tmp_path)
    assert_alike(rows_of(job), RECORDED[name]["rows"])
    assert answer_of(job) == pytest.approx(RECORDED[name]["onnx"], abs=LOGIT[name])


def assert_alike(rows: list[dict[str, float]], recorded: list[dict[str, float]]) -> None:
    """Two processors round differently, which may turn a pixel or two of a thousand."""
    assert [list(row) for row in rows] == [list(row) for row in recorded]
    for row, before in zip(rows, recorded, strict=True):
        found = np.array([np.nan if value is None else value for value in row.values()])
        expected = np.array([np.nan if value is None else value for value in before.values()])
        assert found == pytest.approx(expected, abs=3e-3, nan_ok=True)
