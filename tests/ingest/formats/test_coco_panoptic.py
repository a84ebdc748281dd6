"""COCO panoptic: the family's demands, crowds, and junk."""

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given

from tests.ingest.formats.family import (
    HEIGHT,
    WIDTH,
    FormatFamily,
    last_part,
    left_half,
    opened,
    picture,
)
from tests.ingest.formats.junk import DRAWN, junked, outcome, survives
from tests.ingest.made import Array, encoded
from workers.ingest.formats.coco.panoptic import CocoPanoptic
from workers.ingest.formats.coco.segments import SegmentsTruth
from workers.ingest.pictures.decode import decode_image
from workers.ingest.problems import ProblemLog
from workers.prepared.run_lengths import decompressed, rasterize_runs

GRASS, DOG = 70_000, 258
CATEGORIES = [{"id": 7, "name": "grass", "isthing": 0}, {"id": 3, "name": "dog", "isthing": 1}]


def ids(left: int, right: int) -> bytes:
    """A picture of two ids: red + 256 green + 65536 blue."""
    numbers = left_half(1)[..., None] == 1
    parts: list[Array] = [np.array([one & 255, one >> 8 & 255, one >> 16], np.uint8) for one in (left, right)]
    return encoded(np.where(numbers, *parts).astype(np.uint8))


def document(*names: str, crowd: int = 0) -> dict[str, Any]:
    segments = [{"id": GRASS, "category_id": 7}, {"id": DOG, "category_id": 3, "iscrowd": crowd}]
    return {
        "categories": CATEGORIES,
        "images": [
            {"id": number, "file_name": f"{name}.jpg", "width": WIDTH, "height": HEIGHT}
            for number, name in enumerate(names)
        ],
        "annotations": [
            {"image_id": number, "file_name": f"{name}.png", "segments_info": segments}
            for number, name in enumerate(names)
        ],
    }


class TestCocoPanoptic(FormatFamily):
    reader = CocoPanoptic()
    names: ClassVar = {1: "dog", 2: "grass"}
    masks: ClassVar = {"a": left_half(1, 2), "b": left_half(2, 255)}
    splits: ClassVar = {"a": "train", "b": "val"}
    image = "val/b.jpg"
    annotation = "annotations/panoptic_train.json"

    def test_objects_are_what_masks_are_painted_from(self, tmp_path: Path) -> None:
        """Segments of things are: grass is none."""
        with opened(tmp_path, self.files()) as source:
            found = self.read(source, ProblemLog())
            assert found is not None
            first = next(item for item in found.items if last_part(item) == "a")
            assert isinstance(first.truth, SegmentsTruth)
            image = decode_image(source.read(first.image))
            mask, objects = first.truth.instances(source.read, image, image.size)
        dogs = np.zeros(mask.shape, np.uint8)
        rasterize_runs(decompressed(objects.outlines[0]), dogs)
        assert objects.objects.classes.tolist() == [1]
        np.testing.assert_array_equal(dogs == 1, mask == 1)

    def files(self) -> dict[str, bytes]:
        return {
            "annotations/panoptic_train.json": json.dumps(document("a")).encode(),
            "annotations/panoptic_train/a.png": ids(DOG, GRASS),
            "annotations/panoptic_val.json": json.dumps(document("b")).encode(),
            "annotations/panoptic_val/b.png": ids(GRASS, 0),
            "train/a.jpg": picture(0),
            "val/b.jpg": picture(1),
        }


@pytest.mark.parametrize(("crowd", "value"), [("ignore", 255), ("label", 1)])
def test_crowds(tmp_path: Path, crowd: str, value: int) -> None:
    files = TestCocoPanoptic().files()
    files["annotations/panoptic_train.json"] = json.dumps(document("a", crowd=1)).encode()
    result = outcome(CocoPanoptic(), tmp_path, files, crowd=crowd)
    assert result.problems == []
    np.testing.assert_array_equal(result.masks["a"], left_half(value, 2))


def test_an_unlisted_category_is_an_error(tmp_path: Path) -> None:
    files = TestCocoPanoptic().files()
    files["annotations/panoptic_train.json"] = files["annotations/panoptic_train.json"].replace(
        b'"category_id": 3', b'"category_id": 4'
    )
    result = outcome(CocoPanoptic(), tmp_path, files)
    assert ("error", "unknown_category") in result.problems
    assert "a.png: a segment has the category id 4" in result.messages


@DRAWN
@given(junked(document("a")))
def test_junk_never_crashes(document: Any) -> None:
    files = {"a.jpg": picture(), "panoptic/a.png": ids(DOG, GRASS)}
    survives(CocoPanoptic(), files | {"panoptic.json": json.dumps(document).encode("utf-8", "replace")})
