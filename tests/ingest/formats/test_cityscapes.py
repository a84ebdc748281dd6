"""Cityscapes: each kind of mask gives the 19 trained classes."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.ingest.formats.family import (
    HEIGHT,
    WIDTH,
    FormatFamily,
    Real,
    left_half,
    opened,
    picture,
    rasterized,
)
from tests.ingest.made import Array, encoded
from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.folders.cityscapes import Cityscapes
from workers.ingest.formats.folders.cityscapes_labels import COLORS, LABEL_IDS, NAMES
from workers.ingest.problems import ProblemLog, Refused

ROAD_AND_CAR = left_half(13, 0)


def label_ids(mask: Array) -> Array:
    return np.array([*LABEL_IDS, *[4] * 237], np.uint8)[mask]


class TestCityscapes(FormatFamily):
    reader = Cityscapes()
    names: ClassVar = dict(enumerate(NAMES))
    masks: ClassVar = {
        "aachen_000001_000019_leftImg8bit": ROAD_AND_CAR,
        "aachen_000002_000019_leftImg8bit": np.zeros((HEIGHT, WIDTH), np.uint8),
        "ulm_000001_000019_leftImg8bit": left_half(255, 18),
    }
    splits: ClassVar = {
        "aachen_000001_000019_leftImg8bit": "train",
        "aachen_000002_000019_leftImg8bit": "train",
        "ulm_000001_000019_leftImg8bit": "val",
    }
    image = "leftImg8bit/val/ulm/ulm_000001_000019_leftImg8bit.png"
    annotation = "gtFine/train/aachen/aachen_000001_000019_gtFine_labelTrainIds.png"
    real = tuple(
        Real(
            folder=f"formats/datumaro_tiny/cityscapes_dataset/{name}",
            items=4,
            shares={"wall": 5.0, "person": 5.0, "truck": 15.0, "train": 10.0, "ignored": 65.0},
            splits=frozenset(("train", "val", "test")),
        )
        for name in ("dataset", "train_dataset")
    )

    def files(self) -> dict[str, bytes]:
        files = {}
        for seed, (name, mask) in enumerate(self.masks.items()):
            city, split = name.partition("_")[0], self.splits[name]
            files[f"leftImg8bit/{split}/{city}/{name}.png"] = picture(seed)
            place = name.replace("leftImg8bit", "gtFine_labelTrainIds")
            files[f"gtFine/{split}/{city}/{place}.png"] = encoded(mask)
        return files


@pytest.mark.parametrize("kind", ["labelTrainIds", "labelIds", "instanceIds", "color"])
def test_each_kind_of_mask(tmp_path: Path, kind: str) -> None:
    wide = label_ids(ROAD_AND_CAR).astype(np.uint16)
    masks = {
        "labelTrainIds": ROAD_AND_CAR,
        "labelIds": label_ids(ROAD_AND_CAR),
        "instanceIds": np.where(wide == 26, 26007, wide).astype(np.uint16),
        "color": np.array(COLORS, np.uint8)[ROAD_AND_CAR],
    }
    files = {
        "leftImg8bit/a_1_2_leftImg8bit.png": picture(),
        f"gtFine/a_1_2_gtFine_{kind}.png": encoded(masks[kind]),
    }
    with opened(tmp_path, files) as source:
        found = Cityscapes().read(source, IngestOptions(), ProblemLog())
        assert found is not None
        np.testing.assert_array_equal(rasterized(found.items[0], source), ROAD_AND_CAR)


def test_train_ids_before_label_ids(tmp_path: Path) -> None:
    files = {
        "a_1_2_leftImg8bit.png": picture(),
        "a_1_2_gtFine_labelIds.png": encoded(label_ids(ROAD_AND_CAR)),
        "a_1_2_gtFine_labelTrainIds.png": encoded(ROAD_AND_CAR),
        "a_1_2_gtCoarse_labelTrainIds.png": encoded(left_half(255)),
    }
    with opened(tmp_path, files) as source:
        found = Cityscapes().read(source, IngestOptions(), ProblemLog())
    assert found is not None
    assert [item.truth.file for item in found.items] == ["a_1_2_gtFine_labelTrainIds.png"]


def test_ids_in_a_colour_picture_are_refused(tmp_path: Path) -> None:
    files = {"a_1_2_leftImg8bit.png": picture(), "a_1_2_gtFine_labelIds.png": picture(1)}
    with opened(tmp_path, files) as source:
        found = Cityscapes().read(source, IngestOptions(), ProblemLog())
        assert found is not None
        with pytest.raises(Refused) as refusal:
            rasterized(found.items[0], source)
    assert refusal.value.problem_code == "mask_ids"


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("leftImg8bit/{}/{}/", "gtFine/{}/{}/"),
        ("leftImg8bit_trainvaltest/leftImg8bit/{}/{}/", "gtFine_trainvaltest/gtFine/{}/{}/"),
        ("{}/{}/leftImg8bit/", "{}/{}/gtFine/"),
        ("images/{}/{}/", "masks/{}/{}/"),
    ],
)
def test_frames_of_drives_and_splits_that_are_numbered_alike(tmp_path: Path, image: str, mask: str) -> None:
    files, own = {}, {}
    for split, drive in (("train", "0"), ("train", "1"), ("val", "0"), ("val", "2")):
        for frame in range(2):
            path = f"{image.format(split, drive)}frame{frame}_leftImg8bit.png"
            own[path] = f"{mask.format(split, drive)}frame{frame}_gtFine_labelIds.png"
            files[path], files[own[path]] = picture(), encoded(label_ids(ROAD_AND_CAR))
            files[own[path].replace("labelIds", "color")] = encoded(np.array(COLORS, np.uint8)[ROAD_AND_CAR])
    for path in [path for path in own if "frame1" in path and "2" in path.split("/")]:
        del files[own.pop(path)]
    bare = f"{mask.format('val', '2')}frame1_gtFine_color.png"
    del files[bare]
    with opened(tmp_path, files) as source:
        found = Cityscapes().read(source, IngestOptions(), ProblemLog())
    assert found is not None
    assert {item.image.path: item.truth.file for item in found.items} == own


@pytest.mark.parametrize("value", [34, 39, 200])
def test_ids_of_another_set_are_refused(tmp_path: Path, value: int) -> None:
    files = {"a_1_2_leftImg8bit.png": picture(), "a_1_2_gtFine_labelIds.png": encoded(left_half(value, 7))}
    with opened(tmp_path, files) as source:
        found = Cityscapes().read(source, IngestOptions(), ProblemLog())
        assert found is not None
        with pytest.raises(Refused, match=f"the id {value}") as refusal:
            rasterized(found.items[0], source)
    assert (refusal.value.problem_code, "format: pictures" in refusal.value.remedy) == ("mask_ids", True)
