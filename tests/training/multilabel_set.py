"""A small drawn set whose classes overlap."""

from pathlib import Path

import cv2
import numpy as np

from trainyard.storage.json_files import read_json, write_json
from workers.prepared.version import PreparedClass, PreparedWriter

OVERLAPPING = [
    PreparedClass(index=0, name="disc", value=1, color=(220, 40, 40)),
    PreparedClass(index=1, name="box", value=2, color=(40, 40, 220)),
    PreparedClass(index=2, name="dot", value=3, color=(40, 200, 40)),
]


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
