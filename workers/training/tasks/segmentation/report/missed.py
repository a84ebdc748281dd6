"""Classes that a network does not find at all: a mean over few classes can hide them."""

from typing import Any


def missed_classes(split: str, numbers: dict[str, Any]) -> list[str]:
    """A sentence for each class of a split's numbers that is never predicted, or never rightly so."""
    place = {"val": "validation", "test": "the test split"}.get(split, split)
    found = []
    for row in numbers["classes"]:
        if row["iou"] != 0 or not row["truth_share"]:
            continue
        if row["predicted_share"]:
            how = "is never predicted where it is: its IoU is 0"
        else:
            how = "is never predicted, though it occurs: its IoU is 0"
        found.append(f"Class {row['name']} {how} on {place}; the mIoU, {numbers['miou']:.2f}, counts it so.")
    return found
