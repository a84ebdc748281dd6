"""Pascal VOC: palettes, colours, lists of splits."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from tests.ingest.formats.family import (
    HEIGHT,
    WIDTH,
    FormatFamily,
    Real,
    last_part,
    left_half,
    opened,
    painted,
    picture,
)
from tests.ingest.made import Array, encoded
from trainyard.datasets import IngestOptions
from workers.ingest.formats.voc import Voc
from workers.ingest.formats.voc_labels import CLASSES, labelmap, palette_color
from workers.ingest.problems import ProblemLog, Refused

EMPTY = np.zeros((HEIGHT, WIDTH), np.uint8)


def palette(mask: Array) -> bytes:
    """A palette PNG in VOC's colours."""
    image = Image.fromarray(mask, "L").convert("P")
    image.putdata(mask.reshape(-1).tolist())
    image.putpalette([part for value in range(256) for part in palette_color(value)])
    return encoded(image)


def colored(mask: Array) -> bytes:
    """An RGB PNG in VOC's colours."""
    return encoded(np.array([palette_color(value) for value in range(256)], np.uint8)[mask])


class TestVoc(FormatFamily):
    reader = Voc()
    names: ClassVar = dict(enumerate(CLASSES))
    masks: ClassVar = {"a": left_half(15), "b": EMPTY, "c": left_half(255, 7)}
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    image = "VOC2012/JPEGImages/c.png"
    annotation = "VOC2012/SegmentationClass/a.png"
    real = (
        Real(
            folder="formats/voc_palette_semantic",
            items=3,
            shares={"bus": 21.7, "person": 12.4, "ignored": 1.9},
        ),
        Real(folder="formats/voc_palette_instance", items=3, shares={"bus": 21.7, "person": 12.4}),
    )

    def files(self) -> dict[str, bytes]:
        files = {f"SegmentationClass/{name}.png": palette(mask) for name, mask in self.masks.items()}
        files |= {f"JPEGImages/{name}.png": picture(seed) for seed, name in enumerate("abcd")}
        files |= {"ImageSets/Segmentation/train.txt": b"a\nb\r\n", "ImageSets/Segmentation/val.txt": b"c\n"}
        return {f"VOC2012/{path}": data for path, data in files.items()}


def test_colours_of_the_development_kit() -> None:
    assert [palette_color(value) for value in (0, 1, 2, 15, 20, 255)] == [
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (192, 128, 128),
        (0, 64, 128),
        (224, 224, 192),
    ]


@pytest.mark.parametrize("with_map", [True, False])
def test_masks_in_rgb(tmp_path: Path, with_map: bool) -> None:
    files = {"JPEGImages/a.png": picture(), "SegmentationClass/a.png": colored(left_half(255, 2))}
    if with_map:
        files["labelmap.txt"] = b"# label:color_rgb:parts:actions\nsky:0,128,0::\nroad:128,0,0::\n"
    with opened(tmp_path, files) as source:
        found = Voc().read(source, IngestOptions(), ProblemLog())
        assert found is not None
        assert found.names is not None
        mask = painted(found.items[0], source)
    value = 0 if with_map else 2
    assert found.names[value] == ("sky" if with_map else "bicycle")
    np.testing.assert_array_equal(mask, left_half(255, value))


def test_another_palette_is_not_given_vocs_names(tmp_path: Path) -> None:
    image = Image.fromarray(left_half(), "L").convert("P")
    image.putdata(left_half().reshape(-1).tolist())
    image.putpalette([1, 2, 3, 4, 5, 6])
    files = {"JPEGImages/a.png": picture(), "SegmentationClass/a.png": encoded(image)}
    with opened(tmp_path, files) as source:
        found = Voc().read(source, IngestOptions(), ProblemLog())
    assert found is not None
    assert found.names is None


def test_images_without_mask_are_left_out_and_told(tmp_path: Path) -> None:
    log = ProblemLog()
    with opened(tmp_path, TestVoc().files()) as source:
        found = Voc().read(source, IngestOptions(), log)
    assert found is not None
    assert [last_part(item) for item in found.items] == ["a", "b", "c"]
    assert [problem.code for problem in log.problems()] == ["image_unlisted"]


def test_boxes_alone_are_an_error(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "formats/datumaro_tiny/voc_dataset/voc_dataset3"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    log = ProblemLog()
    with opened(tmp_path, files) as source:
        assert Voc().recognises(source)
        assert Voc().read(source, IngestOptions(), log) is None
    assert [problem.code for problem in log.problems()] == ["masks_missing"]


@pytest.mark.parametrize(
    "text", ["", "sky", "sky:1,2", "sky:1,2,300", "a:1,1,1::\nb:1,1,1::", "a:9999999999,0,0", "a:²,0,0"]
)
def test_a_broken_labelmap_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        labelmap(text)
    assert refusal.value.problem_code == "labelmap_broken"
