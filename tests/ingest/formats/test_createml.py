"""Create ML's JSON: the family's demands; `tests/ingest/test_box_tables.py` has what is odd of it."""

import json
from typing import Any

from tests.ingest.formats.family import HEIGHT, WIDTH, BoxFamily, picture
from workers.ingest.formats.boxes.createml import CreateMl


def entry(image: str, *objects: tuple[str, float, float]) -> dict[str, Any]:
    """An image with objects of its height, each with its label, the x of its centre and its width."""
    return {
        "image": image,
        "annotations": [
            {"label": label, "coordinates": {"x": x, "y": HEIGHT / 2, "width": width, "height": HEIGHT}}
            for label, x, width in objects
        ],
    }


class TestCreateMl(BoxFamily):
    reader = CreateMl()
    annotation = "train/_annotations.createml.json"

    def files(self) -> dict[str, bytes]:
        """Beside the images, by split, as Roboflow writes it."""
        train = [entry("a.jpg", ("cat", WIDTH / 4, WIDTH / 2)), entry("b.jpg")]
        return {
            "train/a.jpg": picture(0),
            "train/b.jpg": picture(1),
            "train/_annotations.createml.json": json.dumps(train).encode(),
            "val/c.jpg": picture(2),
            "val/_annotations.createml.json": json.dumps(
                [entry("c.jpg", ("dog", WIDTH / 2, WIDTH))]
            ).encode(),
        }
