"""Slides of red nuclei and blue debris, drawn: for pictures of the pages."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.pages.seed import NAMES
from workers.prepared.version import PreparedClass, PreparedWriter, Uint8

HASH = "5d1de" + "0" * 59
SIDE = 192
TRAIN, VAL = 18, 6
CLASSES = [
    PreparedClass(index=index, name=name, value=index, color=color)
    for index, (name, color) in enumerate(zip(NAMES, ((0, 0, 0), (230, 70, 60), (60, 120, 230)), strict=True))
]
_SHADES = ((120, 120, 120), (190, 60, 60), (60, 60, 190))


def slide(number: int, side: int = SIDE, cells: int = 24) -> tuple[Uint8, Uint8]:
    """The picture of that number, (side, side, 3) RGB, and its mask."""
    numbers = np.random.default_rng(number)
    picture = numbers.normal(120, 12, (side, side, 3))
    mask = np.zeros((side, side), np.uint8)
    for cell in range(cells):
        place = tuple(int(one) for one in numbers.integers(10, side - 10, 2))
        axes = tuple(int(one) for one in numbers.integers(7, 17, 2))
        turn, index = float(numbers.integers(0, 180)), 2 if cell % 4 == 0 else 1
        cv2.ellipse(picture, place, axes, turn, 0, 360, _SHADES[index], cv2.FILLED)
        cv2.ellipse(mask, place, axes, turn, 0, 360, index, cv2.FILLED)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1.2), 0, 255).astype(np.uint8), mask


def write_set(folder: Path) -> None:
    """The slides as a prepared version."""
    names = [f"slide {number:02d}" for number in range(TRAIN + VAL)]
    with PreparedWriter(folder) as writer:
        for number, name in enumerate(names):
            writer.append(name, *slide(number))
        splits = {name: "train" if number < TRAIN else "val" for number, name in enumerate(names)}
        writer.finish(splits, CLASSES, (0.47, 0.42, 0.47), (0.1, 0.1, 0.1), HASH)


def summary() -> dict[str, Any]:
    """What a record tells of them."""
    masks = np.stack([slide(number)[1] for number in range(TRAIN + VAL)])
    counts = np.bincount(masks.ravel(), minlength=len(CLASSES))
    return {
        "content_hash": HASH,
        "images": TRAIN + VAL,
        "splits": {"train": TRAIN, "val": VAL},
        "sizes": {f"{SIDE}x{SIDE}": TRAIN + VAL},
        "classes": [
            {
                **vars(info), "color": list(info.color), "pixels": int(counts[info.index]),
                "share": float(counts[info.index] / masks.size), "images": TRAIN + VAL,
            }
            for info in CLASSES
        ],
        "reading": {
            "format": "images and masks in folders", "pairs": "by name", "classes": "as listed",
            "splits": "folders train and val", "guesses": [],
        },
    }  # fmt: skip


def seen(number: int, faults: int) -> Uint8:
    """A slide beside its mask and what a network might make of it, with so many faults."""
    picture, mask = slide(number)
    numbers, guess = np.random.default_rng(faults), mask.copy()
    for _ in range(faults):
        place = tuple(int(one) for one in numbers.integers(0, SIDE, 2))
        cv2.circle(guess, place, int(numbers.integers(4, 12)), int(numbers.integers(0, 3)), cv2.FILLED)
    colors = np.array([info.color for info in CLASSES], np.float32)
    laid = [(picture * 0.45 + colors[one] * 0.55).astype(np.uint8) for one in (mask, guess)]
    return np.concatenate([picture, *laid], axis=1)
