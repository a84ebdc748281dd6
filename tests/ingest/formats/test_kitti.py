"""KITTI: labels and instances give the 19 trained classes."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, Real, left_half, picture
from tests.ingest.formats.junk import outcome
from tests.ingest.made import Array, encoded
from workers.ingest.formats.folders.cityscapes_labels import LABEL_IDS, NAMES
from workers.ingest.formats.folders.kitti import Kitti

ROAD_AND_CAR = left_half(13, 0)


def label_ids(mask: Array) -> Array:
    return np.array([*LABEL_IDS, *[4] * 237], np.uint8)[mask]


class TestKitti(FormatFamily):
    reader = Kitti()
    names: ClassVar = dict(enumerate(NAMES))
    masks: ClassVar = {"000000_10": ROAD_AND_CAR, "000001_10": np.zeros((HEIGHT, WIDTH), np.uint8)}
    image = "training/image_2/000001_10.png"
    annotation = "training/semantic/000000_10.png"
    real = (
        Real(
            folder="formats/datumaro_tiny/kitti_dataset/kitti_segmentation",
            items=2,
            shares={"wall": 10.0, "truck": 30.0, "train": 20.0, "ignored": 40.0},
        ),
    )

    def files(self) -> dict[str, bytes]:
        files = {}
        for seed, (name, mask) in enumerate(self.masks.items()):
            files[f"training/image_2/{name}.png"] = picture(seed)
            files[f"training/semantic/{name}.png"] = encoded(label_ids(mask))
        return files


def test_instances_count_by_their_label(tmp_path: Path) -> None:
    instances = label_ids(ROAD_AND_CAR).astype(np.uint16) * 256 + 3
    files = {"training/image_2/a.png": picture(), "training/instance/a.png": encoded(instances)}
    result = outcome(Kitti(), tmp_path, files)
    assert result.problems == []
    np.testing.assert_array_equal(result.mask, ROAD_AND_CAR)


def test_images_of_the_test_set_are_left_out(tmp_path: Path) -> None:
    files = TestKitti().files() | {"testing/image_2/000000_10.png": picture(5)}
    result = outcome(Kitti(), tmp_path, files)
    assert result.problems == [("warning", "image_without_mask")]
    assert result.masks.keys() == TestKitti.masks.keys()
