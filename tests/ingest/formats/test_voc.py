"""Pascal VOC: palettes, colours, lists of splits."""

from collections.abc import Callable
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
    picture,
    rasterized,
)
from tests.ingest.made import Array, Bench, encoded
from tests.ingest.scenes import answers, classes, names_of, objects, photo_of
from trainyard.datasets.record import IngestOptions
from workers.ingest.classes.files.voc_labels import CLASSES, labelmap, palette_color
from workers.ingest.formats.voc.boxes import VocBoxes
from workers.ingest.formats.voc.reader import Voc
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
        mask = rasterized(found.items[0], source)
    value = 0 if with_map else 2  # VOC's or another set's is a question, of which VOC's is the likelier
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


def test_boxes_are_of_another_format(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "formats/datumaro_tiny/voc_dataset/voc_dataset3"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    log = ProblemLog()
    with opened(tmp_path, files) as source:
        assert not Voc().recognises(source)
        assert VocBoxes().recognises(source)
        assert Voc().read(source, IngestOptions(), log) is None
    assert [problem.code for problem in log.problems()] == ["masks_missing"]


@pytest.mark.parametrize(
    "text", ["", "sky", "sky:1,2", "sky:1,2,300", "a:1,1,1::\nb:1,1,1::", "a:9999999999,0,0", "a:²,0,0"]
)
def test_a_broken_labelmap_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        labelmap(text)
    assert refusal.value.problem_code == "labelmap_broken"


NUMBERED = {0: "background", 1: "class_1", 2: "class_2", 3: "class_3"}


def voc_set(
    draw: Callable[[Array], bytes],
    values: tuple[int, ...] = (1, 2, 3),
    folder: str = "SegmentationClass",
    **others: bytes,
) -> dict[str, bytes]:
    """A set in VOC's layout whose masks have these values."""
    files = {f"VOC2007/{name}": data for name, data in others.items()}
    for number in range(6):
        mask = classes(values, 2, number)
        files[f"VOC2007/JPEGImages/{number}.jpg"] = encoded(photo_of(mask, number), "JPEG")
        files[f"VOC2007/{folder}/{number}.png"] = draw(mask)
    return files


def grey_rgb(mask: Array) -> bytes:
    """As cv2.imwrite leaves indices that were repeated for three channels."""
    return encoded(np.dstack([mask] * 3))


WAYS = {"palette": palette, "rgb": colored, "grey": encoded, "grey rgb": grey_rgb}


@pytest.mark.parametrize("values", [(1,), (1, 2), (1, 2, 3)])
@pytest.mark.parametrize("way", WAYS)
def test_a_small_set_of_ones_own_has_no_names_of_voc(bench: Bench, way: str, values: tuple[int, ...]) -> None:
    names = names_of(bench.run(voc_set(WAYS[way], values)))
    assert names == {value: NUMBERED[value] for value in (0, *values)}
    for mask in (mask for _, mask in bench.arrays().values()):
        assert set(np.unique(mask)) == {0, *values}


@pytest.mark.parametrize("way", ["palette", "rgb"])
@pytest.mark.parametrize("values", [(15,), (2, 15), (7, 12, 20)])
def test_vocs_ids_have_vocs_names(bench: Bench, way: str, values: tuple[int, ...]) -> None:
    names = names_of(bench.run(voc_set(WAYS[way], values)))
    assert names == dict(enumerate(CLASSES))


@pytest.mark.parametrize("way", ["grey", "grey rgb"])
def test_ids_without_vocs_colours_have_no_names(bench: Bench, way: str) -> None:
    assert names_of(bench.run(voc_set(WAYS[way], (7, 15)))) == {0: "background", 7: "class_7", 15: "class_15"}


@pytest.mark.parametrize("way", ["palette", "rgb"])
@pytest.mark.parametrize("values", [(2,), (1, 3), (2, 3, 5)])
def test_ids_that_may_be_vocs_are_asked_about(bench: Bench, way: str, values: tuple[int, ...]) -> None:
    results = answers(bench, voc_set(WAYS[way], values))
    assert names_of(results["voc"]) == dict(enumerate(CLASSES))
    assert names_of(results["numbered"]) == {0: "background"} | {value: f"class_{value}" for value in values}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", ["background\na\nb\nc", "__ignore__\nbackground\na\nb\nc", "a\nb\nc"])
def test_names_of_a_file_are_used(bench: Bench, way: str, text: str) -> None:
    files = voc_set(WAYS[way], **{"class_names.txt": text.encode()})
    assert names_of(bench.run(files)) == {0: "background", 1: "a", 2: "b", 3: "c"}


@pytest.mark.parametrize("way", WAYS)
def test_the_client_names_classes(bench: Bench, way: str) -> None:
    named = {0: "ground", 1: "x", 2: "y", 3: "z"}
    assert names_of(bench.run(voc_set(WAYS[way]), classes=named)) == named


def test_a_labelmap_names_indices_in_grey(bench: Bench) -> None:
    labels = b"background:0,0,0::\na:128,0,0::\nb:0,128,0::\nc:128,128,0::\n"
    for way in WAYS:
        names = names_of(bench.run(voc_set(WAYS[way], **{"labelmap.txt": labels})))
        assert names == {0: "background", 1: "a", 2: "b", 3: "c"}, way


def test_black_and_white_in_vocs_layout(bench: Bench) -> None:
    assert names_of(bench.run(voc_set(encoded, (255,)))) == {0: "background", 255: "foreground"}
    files = voc_set(encoded, (255,), **{"classes.txt": b"background\ncrack"})
    assert names_of(bench.run(files)) == {0: "background", 255: "crack"}


def test_objects_in_vocs_layout(bench: Bench) -> None:
    files = voc_set(encoded)
    for number in range(6):
        ids = objects(3 + 2 * number, number).astype(np.uint8)
        files[f"VOC2007/SegmentationClass/{number}.png"] = palette(ids)
    result = bench.run(files, objects="one_class")
    assert names_of(result) == {0: "background", 1: "object"}


def test_label_sets_side_by_side_are_asked_about(bench: Bench) -> None:
    files = voc_set(encoded, (1, 2, 3), "SegmentationClass/element")
    files |= voc_set(encoded, (1,), "SegmentationClass/defect")
    results = answers(bench, files)
    assert names_of(results["element"]) == NUMBERED
    assert names_of(results["defect"]) == {0: "background", 1: "class_1"}
    assert list(results) == ["defect", "element"]


def test_folders_of_one_class_each_may_be_classes(bench: Bench) -> None:
    files = voc_set(encoded, (1,), "SegmentationClass/crack")
    files |= voc_set(encoded, (1,), "SegmentationClass/rust")
    results = answers(bench, files)
    assert set(names_of(results["_each_a_class"]).values()) == {"crack", "rust"}


def test_masks_in_folders_of_splits_are_one_set(bench: Bench) -> None:
    files = voc_set(encoded, (1, 2))
    moved = {}
    for number in range(6):
        data = files.pop(f"VOC2007/SegmentationClass/{number}.png")
        moved[f"VOC2007/SegmentationClass/{('train', 'val')[number % 2]}/{number}.png"] = data
    result = bench.run(files | moved)
    assert result.summary is not None
    assert result.summary.images == 6


def test_small_masks_in_vocs_layout(bench: Bench) -> None:
    files = voc_set(lambda mask: palette(np.ascontiguousarray(mask[::2, ::2])))
    assert names_of(answers(bench, files)["resample"]) == NUMBERED


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("JPEGImages/{}.png", "SegmentationClass/man_seg{}.png"),
        ("JPEGImages/scan_{:02}.png", "SegmentationClass/{}.png"),
        ("JPEGImages/day1/cam/{}.png", "SegmentationClass/day1/cam/{}.png"),
        ("JPEGImages/{}.png", "JPEGImages/SegmentationClass/label{}.png"),
    ],
)
def test_masks_of_other_names_are_paired_as_in_any_folders(bench: Bench, image: str, mask: str) -> None:
    files = {}
    for number in range(4):
        files[image.format(number)] = encoded(photo_of(objects(2, number), number))
        files[mask.format(number)] = encoded((objects(2, number) > 0).astype(np.uint8))
    result = bench.run(files)
    assert result.summary is not None, result.problems
    assert result.summary.reading is not None
    assert (result.summary.reading.format, len(bench.prepared.samples)) == ("pictures", 4)
