"""A real set is really learnt, by the shipped recipe."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.conftest import CONFIGS, Run
from trainyard.spec.experiments import Experiments
from workers.prepared.version import PreparedClass, PreparedWriter

PET_CLASSES = [
    PreparedClass(index=0, name="background", value=0, color=(0, 0, 0)),
    PreparedClass(index=1, name="pet", value=255, color=(255, 120, 0)),
]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("size", "epochs", "least"), [(64, 6, 0.6), pytest.param(96, 8, 0.72, marks=pytest.mark.long)]
)
def test_pets_are_learnt(
    size: int, epochs: int, least: float, shared_data: Path, run_folder: Path, tmp_path: Path
) -> None:
    """The shipped recipe, but for size and length."""
    shipped = Experiments(CONFIGS).read("pets-lite0")
    spec = {**shipped, "data": {**shipped["data"], "image_size": size}, "export": {"onnx": False}}
    run = Run(run_folder, _prepare(shared_data / "pets", tmp_path / "pets"))
    result = run.fit(spec=spec, epochs=epochs)

    assert result.best["val_iou/pet"] >= least


def test_what_the_demo_trains_can_be_trained(prepared: Path, run_folder: Path) -> None:
    """An epoch of the shipped recipe: the walks of the README have a smaller network under its name."""
    spec = {**Experiments(CONFIGS).read("demo"), "export": {"onnx": False}}
    assert Run(run_folder, prepared).fit(spec=spec).status == "completed"


def _prepare(source: Path, folder: Path) -> Path:
    splits = {
        Path(line).stem: split
        for split in ("train", "val")
        for line in (source / "splits" / f"{split}.txt").read_text().split()
    }
    with PreparedWriter(folder) as writer:
        for name in sorted(splits):
            image = cv2.imread(str(source / "images" / f"{name}.jpg"), cv2.IMREAD_COLOR_RGB)
            mask = cv2.imread(str(source / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
            # Half size: enough for 96 px, and quick to draw from.
            small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            labels = cv2.resize(mask, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_NEAREST)
            writer.append(name, small, (labels == 255).astype(np.uint8))
        writer.finish(splits, PET_CLASSES, (0.47, 0.43, 0.37), (0.27, 0.27, 0.28), "pets")
    return folder
