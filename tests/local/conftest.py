"""A small made data set as a user has it, and a spec that trains in a moment."""

from pathlib import Path
from typing import Any

import pytest

from deploy.synthetic import write_synthetic
from trainyard_local import Experiment

SPEC: dict[str, Any] = {
    "epochs": 1,
    "model": {"encoder": "tu-test_resnet"},
    "data": {"image_size": 32, "batch_size": 4},
    "precision": "32",
    "export": {"onnx": False},
}


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures of discs and boxes with their masks, as a zip."""
    path = tmp_path_factory.mktemp("shapes") / "shapes.zip"
    write_synthetic(path, images=10)
    return path


@pytest.fixture(scope="session")
def trained(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """An experiment that has trained one epoch; tests change it no more."""
    experiment = Experiment.new(shapes, spec=SPEC, runs=tmp_path_factory.mktemp("lab") / "runs")
    experiment.train(threads=1, device="cpu")
    return experiment
