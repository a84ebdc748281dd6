"""Detection by the engine: it learns, and epochs, stops, resumes, forks and ends as of any task."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import Run, tiny_spec
from tests.training.detection.conftest import INSTANCES, tiny
from trainyard.runs.events import EpochEnd, SignalApplied, WeightsLoaded
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from trainyard.tasks.detection import ARCHITECTURES, MASKED, TERMS
from workers.training.checkpoints.files import read_checkpoint

BOX_SCORES = (
    "map", "map50", "map75", "map_small", "map_medium", "map_large",
    "mar1", "mar10", "mar100", "mar_small", "mar_medium", "mar_large",
)  # fmt: skip


def rows(run: Run) -> list[dict[str, Any]]:
    """What the epochs came to, without what the clock says."""
    clock = ("images_per_second", "epoch_seconds")
    return [
        {name: value for name, value in event.metrics.items() if name not in clock}
        for event in run.of(EpochEnd)
    ]


def spec_of(architecture: str, **over: Any) -> dict[str, Any]:
    if architecture in MASKED:
        return tiny(**{**INSTANCES, **over})
    return tiny(model={"architecture": architecture}, **over)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_learns_to_find_shapes(scene_run: Run, architecture: str) -> None:
    spec = spec_of(
        architecture, augmentation={"preset": "none"}, optimization={"learning_rate": 0.003}
    )
    result = scene_run.fit(epochs=4, spec=spec)
    found = rows(scene_run)
    losses = ("loss", *(f"loss_{term}" for term in TERMS[architecture]))
    scores = [*BOX_SCORES]
    if architecture in MASKED:
        scores += [f"mask_{name}" for name in BOX_SCORES]
    of_train = [f"train_{name}" for name in losses]
    of_val = [f"val_{name}" for name in (*losses, *scores, "ap/disc", "ap/box")]
    assert list(found[0]) == ["epoch", "step", "lr", *of_train, *of_val]
    assert found[-1]["train_loss"] < 0.6 * found[0]["train_loss"]
    assert found[-1]["train_loss"] == pytest.approx(sum(found[-1][name] for name in of_train[1:]), rel=1e-5)
    assert found[-1]["val_map_large"] is None
    assert result.best["val_map50"] > 0.5
