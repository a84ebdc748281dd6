"""A prepared version drawn for tests of what shows it, and the summary that an ingest would give."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.api.conftest import SUMMARY
from workers.prepared.version import IGNORE_INDEX, PreparedClass, PreparedWriter, Sample

HASH = "5e7" + "0" * 61
CLASSES = [
    PreparedClass(index=0, name="background", value=0, color=(0, 0, 0)),
    PreparedClass(index=1, name="pet", value=255, color=(250, 10, 20)),
    PreparedClass(index=2, name="rare", value=7, color=(10, 20, 250)),
]
SIZES = [(40, 60), (700, 300), (60, 90), (30, 20), (1200, 1100)]
"""Height and width of each sample, in pixels."""
SPLITS = ["train", "train", "val", "test", "unused"]
GREY = 100


def summary() -> dict[str, Any]:
    """As the record has it."""
    return {**SUMMARY, "content_hash": HASH, "images": len(SIZES)}


def write(folder: Path) -> None:
    """Grey images; the left half of each mask is pet, a corner ignored, and that of sample 2 partly rare."""
    samples, start = [], 0
    with PreparedWriter(folder) as writer:
        for place, (height, width) in enumerate(SIZES):
            mask = np.zeros((height, width), np.uint8)
            mask[:, : width // 2] = 1
            if place == 2:
                mask[: height // 2, width // 2 :] = 2
            mask[-height // 4 :, -width // 4 :] = IGNORE_INDEX
            writer.write_image(start, np.full((height, width, 3), GREY, np.uint8))
            writer.write_mask(start, mask)
            samples.append(_sample(place, mask, start))
            start += mask.size
        writer.write_index(samples, CLASSES, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2), HASH)


def _sample(place: int, mask: "np.ndarray[Any, Any]", start: int) -> Sample:
    return Sample(
        name=f"s{place}",
        split=SPLITS[place],
        height=mask.shape[0],
        width=mask.shape[1],
        image_offset=3 * start,
        mask_offset=start,
        fold=place if SPLITS[place] in ("train", "val") else None,
        classes=tuple(int(value) for value in np.unique(mask) if value != IGNORE_INDEX),
    )
