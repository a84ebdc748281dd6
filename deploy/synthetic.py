"""A small made data set: discs, boxes and stripes on noisy ground, with an index mask each."""

import argparse
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

CLASSES = {0: "ground", 1: "disc", 2: "box"}
SIZE = 96

Uint8 = NDArray[np.uint8]


def write_synthetic(path: Path, images: int = 160, seed: int = 0) -> None:
    """Write a zip of `images/` and `masks/`, the same for the same seed."""
    generator = np.random.default_rng(seed)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, (image, mask) in enumerate(_pairs(generator, images)):
            archive.writestr(f"images/{number:04d}.png", _png(image))
            archive.writestr(f"masks/{number:04d}.png", _png(mask))


def _pairs(generator: np.random.Generator, count: int) -> Iterator[tuple[Uint8, Uint8]]:
    for _ in range(count):
        yield draw(generator)


def draw(generator: np.random.Generator) -> tuple[Uint8, Uint8]:
    """One image, (SIZE, SIZE, 3) uint8 BGR, and its mask of class ids, (SIZE, SIZE) uint8."""
    ground = generator.integers(40, 120, size=3)
    image = np.clip(ground + generator.normal(0, 14, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for _ in range(int(generator.integers(1, 5))):
        _draw_shape(generator, image, mask)
    return cv2.GaussianBlur(image, (3, 3), 0).astype(np.uint8), mask


def _draw_shape(generator: np.random.Generator, image: Uint8, mask: Uint8) -> None:
    kind = int(generator.integers(1, 3))
    x, y = (int(v) for v in generator.integers(8, SIZE - 8, size=2))
    radius = int(generator.integers(6, 18))
    color: Any = tuple(int(v) for v in generator.integers(90, 255, size=3))
    for target, value in ((image, color), (mask, kind)):
        if kind == 1:
            cv2.circle(target, (x, y), radius, value, -1)
        else:
            cv2.rectangle(target, (x - radius, y - radius // 2), (x + radius, y + radius // 2), value, -1)


def _png(pixels: Uint8) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def main() -> None:
    """`python -m deploy.synthetic shapes.zip`: write the made data set to that file."""
    parser = argparse.ArgumentParser(prog="python -m deploy.synthetic", description=__doc__)
    parser.add_argument("path", type=Path, help="the zip to write")
    parser.add_argument("--images", type=int, default=160, help="images in it; default: 160")
    asked = parser.parse_args()
    write_synthetic(asked.path, asked.images)


if __name__ == "__main__":
    main()
