"""Drawn data sets of any size and number of classes, as training reads them, as an upload, as CamVid lies."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from bench.data.camvid import CLASSES as CLASSES_FILE
from trainyard.datasets.record import Task
from workers.prepared.version import Objects, PreparedClass, PreparedWriter, Uint8

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
    with PreparedWriter(folder) as writer:
        for name, sample in zip(names, draw_samples(len(names), size, classes, seed, width), strict=True):
            writer.append(name, *sample)
        splits = {name: SPLITS[place >= train] for place, name in enumerate(names)}
        writer.finish(splits, _described(classes), (0.3, 0.3, 0.3), (0.2, 0.2, 0.2), content_hash)
    return folder


def labelled_set(
    folder: Path, train: int, val: int, size: int, *, several: bool = False, seed: int = 0
) -> Path:
    """Write a prepared set whose images have a disc, of the color of its class, or of each of several;
    returns its folder. One that is there already is left as it is."""
    if folder.exists():
        return folder
    numbers, colors = np.random.default_rng(seed), ((220, 60, 60), (60, 60, 220), (60, 200, 60))
    task: Task = "multilabel" if several else "multiclass"
    with PreparedWriter(folder, kinds=("labels",)) as writer:
        for place in range(train + val):
            image = numbers.integers(20, 90, (size, size, 3), dtype=np.uint8)
            labels = [index for index in range(3) if numbers.random() < 0.5] if several else [place % 3]
            for index in labels:
                at = tuple(int(v) for v in numbers.integers(size // 4, 3 * size // 4, 2))
                cv2.circle(image, at, size // 6, colors[index], cv2.FILLED)
            writer.append_labelled(f"drawn-{place:04d}", image, labels)
        splits = {f"drawn-{place:04d}": SPLITS[place >= train] for place in range(train + val)}
        writer.finish(splits, _described(3), (0.3, 0.3, 0.3), (0.2, 0.2, 0.2), folder.name, task)
    return folder


def object_set(folder: Path, train: int, val: int, size: int, *, seed: int = 0) -> Path:
    """Write a prepared set of discs of two classes, two an image, with their boxes and outlines."""
    numbers, colors = np.random.default_rng(seed), ((220, 60, 60), (60, 60, 220))
    with PreparedWriter(folder, kinds=("boxes", "outlines")) as writer:
        for place in range(train + val):
            image = numbers.integers(20, 90, (size, size, 3), dtype=np.uint8)
            masks = np.zeros((2, size, size), np.uint8)
            boxes = []
            for index in range(2):
                half = int(numbers.integers(size // 8, size // 5))
                x = int(numbers.integers(half, size // 2 - half + 1)) + index * (size // 2 - 1)
                y = int(numbers.integers(half, size - half))
                cv2.circle(image, (x, y), half, colors[index], cv2.FILLED)
                cv2.circle(masks[index], (x, y), half, 1, cv2.FILLED)
                rows, columns = (np.flatnonzero(masks[index].any(axis=axis)) for axis in (1, 0))
                boxes.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
            objects = Objects(np.array(boxes, np.float32), np.arange(2), np.zeros(2, np.bool_))
            writer.append_objects(f"drawn-{place:04d}", image, objects, masks)
        splits = {f"drawn-{place:04d}": SPLITS[place >= train] for place in range(train + val)}
        writer.finish(splits, _described(2), (0.3, 0.3, 0.3), (0.2, 0.2, 0.2), folder.name)
    return folder


def _described(classes: int) -> list[PreparedClass]:
    return [
        PreparedClass(index=index, name=f"kind {index}", value=index, color=(index, 200 - index, 90))
        for index in range(classes)
    ]


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
