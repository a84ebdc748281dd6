"""Drawn data sets of any size and number of classes, as training reads them, as an upload, as CamVid lies."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from bench.camvid_data import CLASSES as CLASSES_FILE
from workers.prepared.version import PreparedClass, PreparedWriter, Uint8

SPLITS = ("train", "val")


def draw_samples(
    count: int, size: int, classes: int, seed: int, width: int | None = None
) -> Iterator[tuple[Uint8, Uint8]]:
    """Images (size, width, 3) uint8 RGB of discs on noisy ground, and their masks of class numbers.

    Each class but the first, which is the ground, has a color of its own. `width` is `size` where not given.
    """
    numbers = np.random.default_rng(seed)
    colors = np.random.default_rng(classes).integers(120, 255, (classes, 3))
    width = width or size
    for _ in range(count):
        image = numbers.integers(20, 90, (size, width, 3), dtype=np.uint8)
        mask = np.zeros((size, width), np.uint8)
        for _ in range(max(6, classes)):
            kind = int(numbers.integers(1, classes))
            place = (int(numbers.integers(0, width)), int(numbers.integers(0, size)))
            radius = int(numbers.integers(size // 12, size // 5))
            cv2.circle(image, place, radius, colors[kind].tolist(), cv2.FILLED)
            cv2.circle(mask, place, radius, kind, cv2.FILLED)
        yield image, mask


def prepared_set(
    folder: Path,
    train: int,
    val: int,
    size: int,
    *,
    classes: int = 3,
    seed: int = 0,
    width: int | None = None,
    content_hash: str = "drawn",
) -> Path:
    """Write a prepared set; returns its folder."""
    names = [f"drawn-{place:04d}" for place in range(train + val)]
    described = [
        PreparedClass(index=index, name=f"kind {index}", value=index, color=(index, 200 - index, 90))
        for index in range(classes)
    ]
    with PreparedWriter(folder) as writer:
        for name, sample in zip(names, draw_samples(len(names), size, classes, seed, width), strict=True):
            writer.append(name, *sample)
        splits = {name: SPLITS[place >= train] for place, name in enumerate(names)}
        writer.finish(splits, described, (0.3, 0.3, 0.3), (0.2, 0.2, 0.2), content_hash)
    return folder


def upload(archive: Path, train: int, val: int, size: int, *, classes: int = 3, seed: int = 0) -> Path:
    """Write a zip that ingest reads with these very splits; returns it."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for place, (image, mask) in enumerate(draw_samples(train + val, size, classes, seed)):
            folder = SPLITS[place >= train]
            packed.writestr(f"{folder}/images/{place:04d}.png", _png(image[..., ::-1]))
            packed.writestr(f"{folder}/masks/{place:04d}.png", _png(mask))
    return archive


def like_camvid(folder: Path, train: int, height: int, width: int, classes: int, seed: int = 0) -> Path:
    """Write train/images and train/masks as the benchmarks' script reads CamVid; returns the folder."""
    for kind in ("images", "masks"):
        (folder / "train" / kind).mkdir(parents=True)
    for place, (image, mask) in enumerate(draw_samples(train, height, classes, seed, width)):
        (folder / "train" / "images" / f"{place:04d}.png").write_bytes(_png(image[..., ::-1]))
        (folder / "train" / "masks" / f"{place:04d}.png").write_bytes(_png(mask))
    (folder / CLASSES_FILE).write_text(json.dumps({"classes": []}))
    return folder


def _png(pixels: Uint8) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(pixels))[1].tobytes()
