"""A prepared version with boxes, drawn for tests of what shows it, and its summary."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.api.summary import SUMMARY
from workers.prepared.version import Objects, PreparedClass, PreparedWriter

HASH = "b0c" + "0" * 61
CLASSES = [
    PreparedClass(index=0, name="cat", value=1, color=(230, 80, 60)),
    PreparedClass(index=1, name="dog", value=2, color=(60, 140, 230)),
]
GREY = 100
SIZE = (200, 300)
"""Height and width of each image."""
BOXES = [[20.0, 40.0, 120.5, 160.0], [150.0, 60.0, 290.0, 190.0]]


def summary() -> dict[str, Any]:
    """As the record has it."""
    counts = [{**vars(info), "color": list(info.color), "objects": 2, "images": 2} for info in CLASSES]
    return {
        **SUMMARY,
        "content_hash": HASH,
        "images": 3,
        "kinds": ["boxes"],
        "classes": [
            {**vars(info), "color": list(info.color), "pixels": 2, "share": 0.5, "images": 2}
            for info in CLASSES
        ],
        "objects": {
            "count": 3, "crowds": 1, "images": 2, "most": 2, "sizes": {"small": 0, "medium": 0, "large": 3},
            "classes": counts,
        },
    }  # fmt: skip


def write(folder: Path) -> None:
    """Three grey images: with two objects, with a crowd of dogs beside a cat, and with none."""
    with PreparedWriter(folder, ("boxes",)) as writer:
        image = np.full((*SIZE, 3), GREY, np.uint8)
        two = np.array(BOXES, np.float32)
        writer.append_objects("two", image, Objects(two, np.array([0, 1]), np.array([False, False])))
        writer.append_objects("crowd", image, Objects(two, np.array([0, 1]), np.array([False, True])))
        writer.append_objects("none", image, Objects(two[:0], np.zeros(0, np.int64), np.zeros(0, np.bool_)))
        splits = {"two": "train", "crowd": "train", "none": "val"}
        writer.finish(splits, CLASSES, (0.4, 0.4, 0.4), (0.1, 0.1, 0.1), HASH)
