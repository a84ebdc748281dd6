"""COCO files for tests."""

import json
from collections.abc import Sequence
from typing import Any

Dict = dict[str, Any]


def image_record(key: int, name: str, width: int, height: int) -> Dict:
    return {"id": key, "file_name": name, "width": width, "height": height}


def annotation(drawn: object, category: int, **others: object) -> Dict:
    """An annotation without its image."""
    return {"segmentation": drawn, "category_id": category, "iscrowd": 0, **others}


def boxed(box: Sequence[float], category: int, **others: object) -> Dict:
    """One that has a box alone."""
    return {"segmentation": [], "bbox": list(box), "category_id": category, "iscrowd": 0, **others}


def coco_file(annotations: Sequence[Dict], images: Sequence[Dict], categories: Sequence[Dict]) -> bytes:
    numbered = [{"id": number, **one} for number, one in enumerate(annotations, start=1)]
    return json.dumps({"images": images, "annotations": numbered, "categories": categories}).encode()
