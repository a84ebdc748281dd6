"""Drawn sets of images with objects, and runs on them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.training.conftest import TINY_ENCODER, Run
from workers.prepared.version import Objects, PreparedClass, PreparedWriter

NAMES = ("disc", "box")
CLASSES = [
    PreparedClass(index=index, name=name, value=index + 1, color=color)
    for index, (name, color) in enumerate(zip(NAMES, ((220, 40, 40), (40, 40, 220)), strict=True))
]
MEAN, STD = (0.33, 0.33, 0.33), (0.1, 0.1, 0.1)


def draw_objects(
    folder: Path, train: int, val: int, *, outlines: bool = True, height: int = 64, width: int = 80
) -> Path:
    """Write a prepared set of discs and boxes on a noisy ground, none to three an image; a crowd in one of
    each split."""
    numbers = np.random.default_rng(5)
    splits = {}
    kinds = ("boxes", "outlines") if outlines else ("boxes",)
    with PreparedWriter(folder, kinds=kinds) as writer:
        for place in range(train + val):
            image = numbers.integers(60, 110, (height, width, 3), dtype=np.uint8)
            count = place % 4
            masks = np.zeros((count, height, width), np.uint8)
            for one in range(count):
                _draw(image, masks[one], one % 2, one, numbers)
            name = f"drawn-{place:02d}"
            splits[name] = "train" if place < train else "val"
            crowd = np.zeros(count, np.bool_)
            crowd[2:] = place in (3, train + 3)
            objects = Objects(_boxes(masks), np.arange(count) % 2, crowd)
            writer.append_objects(name, image, objects, masks if outlines else None)
        writer.finish(splits, CLASSES, MEAN, STD, f"objects-{outlines}")
    return folder


def _draw(image: np.ndarray, mask: np.ndarray, index: int, place: int, numbers: np.random.Generator) -> None:
    """Each in a third of the image of its own, so that none hides another."""
    x, y = 13 + 26 * place + int(numbers.integers(-2, 3)), int(numbers.integers(16, image.shape[0] - 16))
    half = int(numbers.integers(7, 11))
    if index == 0:
        cv2.circle(image, (x, y), half, (220, 60, 60), cv2.FILLED)
        cv2.circle(mask, (x, y), half, 1, cv2.FILLED)
    else:
        for canvas, color in ((image, (60, 60, 220)), (mask, 1)):
            cv2.rectangle(canvas, (x - half, y - half), (x + half, y + half), color, cv2.FILLED)


def _boxes(masks: np.ndarray) -> np.ndarray:
    found = []
    for mask in masks:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        found.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    return np.array(found, np.float32).reshape(-1, 4)


def tiny(**over: Any) -> dict[str, Any]:
    """A partial spec that trains in a second, with more fields or others for its own."""
    base: dict[str, Any] = {
        "task": "detection",
        "model": {"architecture": "SSDlite", "encoder": TINY_ENCODER},
        "data": {"image_size": 64, "batch_size": 4},
        "precision": "32",
        "export": {"onnx": False},
    }
    parts = {name: {**base[name], **part} for name, part in over.items() if isinstance(base.get(name), dict)}
    return {**base, **over, **parts}


INSTANCES = {
    "model": {"architecture": "MaskRCNN", "task": "instance_segmentation"},
    "checkpoints": {"monitor": "val_mask_map"},
}
"""The parts of a spec that ask for outlines."""


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 training images (three batches of four), 8 for validation (two batches), with outlines."""
    return draw_objects(tmp_path_factory.mktemp("scenes"), train=12, val=8)


@pytest.fixture(scope="session")
def few_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images of each split: for detectors that look twice, which takes long."""
    return draw_objects(tmp_path_factory.mktemp("few"), train=4, val=4)


@pytest.fixture
def scene_run(run_folder: Path, scenes: Path) -> Run:
    return Run(run_folder, scenes)


@pytest.fixture
def whole_scene_run(run_folder: Path, scenes: Path) -> Run:
    """With what a completed run writes besides its checkpoints."""
    return Run(run_folder, scenes, finishes=True)
