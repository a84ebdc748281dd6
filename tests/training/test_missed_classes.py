"""A class that is not found is said, in the run's notices and in its report."""

import json
from typing import Any

import pytest

from tests.training.conftest import Run, tiny_spec
from trainyard.runs.events import Notice
from trainyard.storage.files import RunFolder
from workers.training.tasks.segmentation.report.missed import missed_classes


def numbers(iou: float | None, truth: float, predicted: float) -> dict[str, Any]:
    other = {"name": "ground", "iou": 1.0, "truth_share": 0.9, "predicted_share": 1.0}
    row = {"name": "disc", "iou": iou, "truth_share": truth, "predicted_share": predicted}
    return {"miou": 0.5, "classes": [other, row]}


@pytest.mark.parametrize(
    ("iou", "truth", "predicted", "said"),
    [
        (0.0, 0.1, 0.0, "Class disc is never predicted, though"),
        (0.0, 0.1, 0.2, "Class disc is never predicted where"),
        (0.01, 0.1, 0.2, None),
        (None, 0.0, 0.0, None),
        (0.0, 0.0, 0.2, None),
    ],
)
def test_what_is_said(iou: float | None, truth: float, predicted: float, said: str | None) -> None:
    sentences = missed_classes("val", numbers(iou, truth, predicted))
    assert len(sentences) == (said is not None)
    assert all(said is not None and one.startswith(said) for one in sentences)


def test_a_run_that_finds_nothing_says_so(whole_run: Run) -> None:
    """One epoch with weights of classes so that only the first counts."""
    losses = [{"name": "cross_entropy", "weight": 1.0, "params": {}}]
    optimization = {
        "class_weighting": "given",
        "class_weights": [1, 0, 0],
        "losses": losses,
        "learning_rate": 0.1,
    }
    whole_run.fit(epochs=2, spec=tiny_spec(optimization=optimization))
    told = [event.message for event in whole_run.of(Notice) if "never predicted" in event.message]
    assert {message.split()[1] for message in told} == {"disc", "box"}
    folder = RunFolder(whole_run.folder)
    assert json.loads(folder.report_json.read_text())["notices"] == told
    assert all(message.split(";")[0] in folder.report_html.read_text() for message in told)
