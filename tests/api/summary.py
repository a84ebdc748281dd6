"""What an ingest finds out, for tests that play the worker."""

import os
from typing import Any

from trainyard.datasets.prepared_index import PreparedClass, Sample, VersionIndex, write_index
from trainyard.datasets.record import Dataset
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
    """Write the version that a played ingest has ended with: black images, each taken for one of its own."""
    found = dataset.summary
    if found is None:
        return dataset
    folder = storage.dataset(dataset.id).version(found.content_hash)
    if folder.exists():
        return dataset
    splits = [split for split, images in found.splits.items() for _ in range(min(images, 100))]
    samples = [
        Sample(
            name=f"s{i}",
            split=split,
            height=SIDE,
            width=SIDE,
            image_offset=i * PIXELS * 3,
            mask_offset=i * PIXELS,
            digest=f"{i}",
        )
        for i, split in enumerate(splits)
    ]
    classes = [
        PreparedClass(index=i, name=one.name, value=i, color=(0, 0, i)) for i, one in enumerate(found.classes)
    ]
    folder.mkdir(parents=True)
    for name, length in (("images.bin", 3 * PIXELS), ("masks.bin", PIXELS)):
        (folder / name).touch()
        os.truncate(folder / name, len(samples) * length)
    write_index(
        folder,
        VersionIndex(
            content_hash=found.content_hash, classes=classes, mean=(0.5,) * 3, std=(0.2,) * 3, samples=samples
        ),
    )
    return dataset
