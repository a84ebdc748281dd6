"""A small drawn set whose classes overlap."""

from pathlib import Path

import cv2
import numpy as np

from trainyard.storage.json_files import read_json, write_json
from workers.prepared.version import PreparedClass, PreparedDataset, PreparedWriter

OVERLAPPING = [
    PreparedClass(index=0, name="disc", value=1, color=(220, 40, 40)),
    PreparedClass(index=1, name="box", value=2, color=(40, 40, 220)),
    PreparedClass(index=2, name="dot", value=3, color=(40, 200, 40)),
]


MANY = [
    *OVERLAPPING,
    *(PreparedClass(index=n, name=f"more {n}", value=n + 1, color=(n, 90, 9)) for n in range(3, 11)),
]
"""Eleven classes, whose masks have two planes: the bits of the first three, with the dot's last of all."""


def draw_many(folder: Path, train: int, val: int) -> Path:
    """The set of `draw_overlapping` under eleven classes: the disc is also the fourth to seventh class, the
    box the eighth to tenth, and the dot the eleventh."""
    few = PreparedDataset(draw_overlapping(folder.with_name(f"{folder.name}-few"), train, val))
    with PreparedWriter(folder, mask_planes=2) as writer:
        for sample in few.samples:
            disc, box, dot = (few.mask(sample) >> bit & 1 for bit in range(3))
            first = disc | box << 1 | dot << 2 | disc * np.uint8(0b1111000) | box << 7
            writer.append(
                sample.name, few.image(sample), np.stack([first, box * np.uint8(3) | dot << 2], axis=-1)
            )
        splits = {sample.name: sample.split for sample in few.samples}
        writer.finish(splits, MANY, few.mean, few.std, "many", "multilabel")
    return folder


def draw_overlapping(folder: Path, train: int, val: int, size: int = 64) -> Path:
    """Write discs in red and boxes in blue, which shine through each other, and a dot in each third image."""
    numbers = np.random.default_rng(11)
    splits = {}
    with PreparedWriter(folder) as writer:
        for place in range(train + val):
            image = numbers.integers(20, 60, (size, size, 3), dtype=np.uint8)
            mask = np.zeros((size, size), np.uint8)
            x, y = (int(v) for v in numbers.integers(16, size - 16, 2))
            disc, box, dot = (np.zeros((size, size), np.uint8) for _ in OVERLAPPING)
            cv2.circle(disc, (x, y), 12, 1, cv2.FILLED)
            cv2.rectangle(box, (x - 2, y - 14), (x + 14, y + 4), 1, cv2.FILLED)
            if place % 3 == 0:
                cv2.circle(dot, (x, y), 7, 1, cv2.FILLED)
            for bit, (drawn, channel) in enumerate(((disc, 0), (box, 2), (dot, 1))):
                mask |= drawn << bit
                image[..., channel] += 150 * drawn
            name = f"overlap-{place:02d}"
            splits[name] = "train" if place < train else "val"
            writer.append(name, image, mask)
        writer.finish(splits, OVERLAPPING, (0.25, 0.2, 0.25), (0.2, 0.15, 0.2), "overlapping")
    write_json(folder / "index.json", {**read_json(folder / "index.json"), "task": "multilabel"})
    return folder
