"""What an ingest finds out, for tests that play the worker."""

import os
from typing import Any

from trainyard.datasets.prepared_index import PreparedClass, Sample, VersionIndex, write_index
from trainyard.datasets.record import Dataset
from trainyard.datasets.stored_objects import OBJECTS_FILE, RECORD
from trainyard.storage.files import Storage

SIDE = 64
PIXELS = SIDE * SIDE
SUMMARY: dict[str, Any] = {
    "content_hash": "ab" * 32,
    "images": 10,
    "splits": {"train": 8, "val": 2},
    "classes": [
        {
            "index": i,
            "name": name,
            "value": i,
            "color": [0, 0, i],
            "pixels": 10,
            "share": 0.5,
            "images": 10,
        }
        for i, name in enumerate(["background", "pet"])
    ],
    "ignore_share": 0.0,
    "sizes": {"64x64": 10},
    "mean": [0.5, 0.5, 0.5],
    "std": [0.2, 0.2, 0.2],
}


def write_played(storage: Storage, dataset: Dataset) -> Dataset:
    """Write the version that a played ingest has ended with: black images, each taken for one of its own,
    with a label and, in a set of boxes, an object."""
    found = dataset.summary
    if found is None:
        return dataset
    folder = storage.dataset(dataset.id).version(found.content_hash)
    if folder.exists():
        return dataset
    splits = [split for split, images in found.splits.items() for _ in range(min(images, 100))]
    classes = [
        PreparedClass(index=i, name=one.name, value=i, color=(0, 0, i)) for i, one in enumerate(found.classes)
    ]
    has_boxes = "boxes" in found.kinds
    index = VersionIndex(
        content_hash=found.content_hash,
        task=found.task,
        kinds=tuple(found.kinds),
        classes=classes,
        object_classes=classes[1:] if has_boxes else (),
        mean=(0.5,) * 3,
        std=(0.2,) * 3,
        samples=[_sample(place, split, int(has_boxes)) for place, split in enumerate(splits)],
    )
    folder.mkdir(parents=True)
    for name, length in (("images.bin", 3 * PIXELS), ("masks.bin", PIXELS)):
        (folder / name).touch()
        os.truncate(folder / name, len(splits) * length)
    (folder / OBJECTS_FILE).write_bytes(RECORD.pack(8, 8, 40, 40, 0, 0, 0, 0) * len(splits))
    write_index(folder, index)
    return dataset


def _sample(place: int, split: str, objects: int) -> Sample:
    return Sample(
        name=f"s{place}",
        split=split,
        height=SIDE,
        width=SIDE,
        image_offset=place * PIXELS * 3,
        mask_offset=place * PIXELS,
        classes=(1,),
        digest=f"{place}",
        first_object=place * objects,
        objects=objects,
    )
