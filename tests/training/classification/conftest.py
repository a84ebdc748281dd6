"""Drawn sets of labelled images, and runs on them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.training.conftest import TINY_ENCODER, Run
from trainyard.datasets.record import Task
from workers.prepared.version import PreparedClass, PreparedWriter

NAMES = ("disc", "box", "cross")
CLASSES = [
    PreparedClass(index=index, name=name, value=index, color=color)
    for index, (name, color) in enumerate(
        zip(NAMES, ((220, 40, 40), (40, 40, 220), (40, 160, 40)), strict=True)
    )
]
MEAN, STD = (0.33, 0.33, 0.33), (0.1, 0.1, 0.1)


def draw_labelled(folder: Path, train: int, val: int, *, task: Task = "multiclass", size: int = 40) -> Path:
    """Write a prepared set of shapes on a noisy ground: one each, or of a multilabel set any."""
    numbers = np.random.default_rng(5)
    splits = {}
    with PreparedWriter(folder, kinds=("labels",)) as writer:
        for place in range(train + val):
            image = numbers.integers(60, 110, (size, size + 8, 3), dtype=np.uint8)
            labels = [place % 3]
            if task == "multilabel":
                labels = [index for index in range(3) if numbers.random() < 0.5]
            for index in labels:
                _draw(image, index, [int(v) for v in numbers.integers(10, size - 10, 2)])
            name = f"drawn-{place:02d}"
            splits[name] = "train" if place < train else "val"
            writer.append_labelled(name, image, labels)
        writer.finish(splits, CLASSES, MEAN, STD, f"labelled-{task}", task)
    return folder


def _draw(image: np.ndarray, index: int, at: list[int]) -> None:
    x, y = at
    if index == 0:
        cv2.circle(image, (x, y), 8, (220, 60, 60), cv2.FILLED)
    elif index == 1:
        cv2.rectangle(image, (x - 7, y - 7), (x + 7, y + 7), (60, 60, 220), cv2.FILLED)
    else:
        cv2.line(image, (x - 8, y - 8), (x + 8, y + 8), (60, 220, 60), 3)
        cv2.line(image, (x - 8, y + 8), (x + 8, y - 8), (60, 220, 60), 3)


def tiny(**over: Any) -> dict[str, Any]:
    """A partial spec that trains in a fraction of a second, with more fields or others for its own."""
    base: dict[str, Any] = {
        "task": "classification",
        "model": {"encoder": TINY_ENCODER},
        "data": {"image_size": 32, "batch_size": 4},
        "precision": "32",
        "export": {"onnx": False},
    }
    parts = {name: {**base[name], **part} for name, part in over.items() if isinstance(base.get(name), dict)}
    return {**base, **over, **parts}


SEVERAL = {
    "model": {"encoder": TINY_ENCODER, "task": "multilabel"},
    "optimization": {"losses": [{"name": "bce", "weight": 1.0, "params": {}}]},
}
"""The parts of a spec that a multilabel set needs."""


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 training images (three batches of four), 9 for validation (three batches)."""
    return draw_labelled(tmp_path_factory.mktemp("labelled"), train=12, val=9)


@pytest.fixture(scope="session")
def multilabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many, each of any of the classes."""
    return draw_labelled(tmp_path_factory.mktemp("multilabelled"), train=12, val=9, task="multilabel")


@pytest.fixture
def labelled_run(run_folder: Path, labelled: Path) -> Run:
    return Run(run_folder, labelled)


@pytest.fixture
def whole_labelled_run(run_folder: Path, labelled: Path) -> Run:
    """With what a completed run writes besides its checkpoints."""
    return Run(run_folder, labelled, finishes=True)
