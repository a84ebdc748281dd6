"""The data sets of a chaos run, one for each task: small, drawn, always the same."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from deploy.synthetic import write_synthetic

MASKED, IMAGES = 30, 12
"""Images with masks, and those of the other sets: an epoch of detection takes the longest."""
SIDE = 48
FORMATS = {"segmentation": None, "classification": "folder_per_class", "detection": "coco"}
"""By task: the format that an upload of its set names, None where it is found out."""


def write_set(task: str, path: Path) -> None:
    """An archive of a set that the task can be trained on."""
    if task == "segmentation":
        write_synthetic(path, images=MASKED)
        return
    objects = []
    with zipfile.ZipFile(path, "w") as archive:
        for place, (picture, box) in enumerate(_pictures()):
            folder = "images" if task == "detection" else ("red", "blue")[place % 2]
            archive.writestr(f"{folder}/{place}.png", cv2.imencode(".png", picture)[1].tobytes())
            objects.append(box)
        if task == "detection":
            archive.writestr("annotations.json", json.dumps(_coco(objects)))


def _pictures() -> Iterator[tuple[np.ndarray, list[int]]]:
    """Pictures with a bright box each, red and blue in turn, and where it is: left, top, width, height."""
    numbers = np.random.default_rng(0)
    for place in range(IMAGES):
        picture = numbers.integers(0, 80, (SIDE, SIDE, 3), dtype=np.uint8)
        left, top = (int(one) for one in numbers.integers(4, 20, 2))
        picture[top : top + 20, left : left + 24] = (60, 60, 220) if place % 2 == 0 else (220, 60, 60)
        yield picture, [left, top, 24, 20]


def _coco(objects: list[list[int]]) -> dict[str, object]:
    return {
        "images": [
            {"id": place, "file_name": f"{place}.png", "width": SIDE, "height": SIDE}
            for place in range(len(objects))
        ],
        "annotations": [
            {
                "id": place + 1,
                "image_id": place,
                "category_id": 1 + place % 2,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
            for place, box in enumerate(objects)
        ],
        "categories": [{"id": 1, "name": "red"}, {"id": 2, "name": "blue"}],
    }
