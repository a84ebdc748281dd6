"""LabelMe: the family's demands, the shapes of all versions, and files that nobody should trust."""

import base64
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, Real, folder_files, left_half, picture
from tests.ingest.formats.junk import DRAWN, Outcome, junked, outcome, scribbled, survives
from tests.ingest.made import encoded
from workers.ingest.formats.tools.labelme import LabelMe
from workers.ingest.pictures.mask_files import decode_mask

LEFT = [[0, 0], [WIDTH / 2, 0], [WIDTH / 2, HEIGHT], [0, HEIGHT]]


def shape(label: Any, points: Any, kind: Any = "polygon", **others: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **others}


def document(*shapes: Any, path: Any = "a.png", data: str | None = None, **others: Any) -> dict[str, Any]:
    return {
        "version": "5.2.1",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": path,
        "imageData": data,
        "imageHeight": HEIGHT,
        "imageWidth": WIDTH,
        **others,
    }


def packed(value: Any) -> bytes:
    return json.dumps(value).encode()


def of_one(folder: Path, *shapes: Any, **options: Any) -> Outcome:
    """What is read of one image with these shapes."""
    return outcome(LabelMe(), folder, {"a.png": picture(), "a.json": packed(document(*shapes))}, **options)


class TestLabelMe(FormatFamily):
    reader = LabelMe()
    names: ClassVar = {0: "background", 1: "square", 2: "other"}
    masks: ClassVar = {
        "a": left_half(),
        "b": np.zeros((HEIGHT, WIDTH), np.uint8),
        "c": left_half(2),
    }
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    image = "train/a.png"
    annotation = "train/a.json"
    real = (
        Real(folder="formats/labelme_json_semantic", items=3, shares={"person": 12.30, "bus": 21.69}),
        Real(folder="formats/labelme_json_embedded", items=1, shares={"shelf": 44.71}),
        Real(folder="formats/labelme_json_primitives", items=1, shares={"circle": 3.22}),
        Real(folder="formats/labelme_json_v5", items=4, shares={"bird": 5.87}),
    )

    def files(self) -> dict[str, bytes]:
        return {
            "train/a.png": picture(0),
            "train/a.json": packed(document(shape("square", LEFT))),
            "train/b.png": picture(1),
            "train/b.json": packed(document(path="b.png")),
            "val/c.png": picture(2),
            "val/c.json": packed(document(shape("other", LEFT), path="..\\val\\C.PNG")),
        }


@pytest.mark.parametrize(
    ("kind", "points", "pixels"),
    [
        ("rectangle", [[6, 5], [2, 1]], 16),
        ("rectangle", [[2, 1], [6, 1], [6, 5], [2, 5]], 16),
        ("circle", [[4, 3], [4, 5]], 12),
        ("polygon", [[0, 0], [8, 0], [8, 6]], 24),
        (None, [[0, 0], [8, 0], [8, 6], [0, 6]], 48),
        ("line", [[0, 3], [8, 3]], 48),
        ("linestrip", [[0, 0], [4, 3], [8, 6]], 48),
        ("point", [[4, 3]], 48),
    ],
)
def test_shapes_cover_what_they_enclose(tmp_path: Path, kind: str | None, points: Any, pixels: int) -> None:
    result = of_one(tmp_path, shape("x", points, kind))
    assert np.count_nonzero(result.mask) == pixels
    thin = kind in ("line", "linestrip", "point")
    assert result.problems == ([("warning", "line_drawn")] if thin else [])


def test_a_mask_lies_on_its_box(tmp_path: Path) -> None:
    drawn = np.array([[1, 0], [1, 1]], np.uint8)
    mask = base64.b64encode(encoded(drawn)).decode()
    result = of_one(tmp_path, shape("x", [[3.7, 2.2], [4.7, 3.2]], "mask", mask=mask))
    assert np.array_equal(result.mask[2:4, 3:5], drawn)
    assert result.mask.sum() == 3


def test_ignored_and_background_labels(tmp_path: Path) -> None:
    result = of_one(
        tmp_path,
        shape("x", [[0, 0], [8, 0], [8, 6], [0, 6]]),
        shape("__ignore__", [[0, 0], [2, 0], [2, 6], [0, 6]]),
        shape("_background_", [[6, 0], [8, 0], [8, 6], [6, 6]]),
    )
    assert result.mask[0].tolist() == [255, 255, 1, 1, 1, 1, 0, 0]
    assert result.found is not None
    assert result.found.names == {0: "_background_", 1: "x"}
    assert result.found.ignore_value == 255


@pytest.mark.parametrize(("order", "corner"), [("area", 2), ("file", 1)])
def test_the_order_decides_what_is_seen(tmp_path: Path, order: str, corner: int) -> None:
    inner = shape("inner", [[0, 0], [2, 0], [2, 2], [0, 2]])
    result = of_one(tmp_path, shape("outer", LEFT), inner, shape("outer", LEFT), order=order)
    assert result.mask[0, 0] == corner


def test_labels_txt_orders_the_classes_and_lacks_one(tmp_path: Path) -> None:
    files = {
        "set/a.png": picture(),
        "set/a.json": packed(document(shape("z", LEFT), shape("x", LEFT))),
        "set/labels.txt": b"__ignore__\n_background_\ny\nx\n",
    }
    result = outcome(LabelMe(), tmp_path, files)
    assert result.found is not None
    assert result.found.names == {0: "_background_", 1: "y", 2: "x", 3: "z"}
    assert result.problems == [("warning", "label_unlisted")]
    assert "z" in result.messages


def test_images_in_the_json_are_found_there(tmp_path: Path) -> None:
    inside = base64.b64encode(picture()).decode()
    files = {
        "json/a.json": packed(document(shape("x", LEFT), path="a.json", data=inside)),
        "json/b.json": packed(document(shape("x", LEFT), path="C:\\me\\b.json", data=inside)),
        "images/b.png": picture(1),
    }
    result = outcome(LabelMe(), tmp_path, files)
    assert result.found is not None
    paths = {item.name: (item.image.path, item.unpack is not None) for item in result.found.items}
    assert paths == {"json/a": ("json/a.json", True), "images/b": ("images/b.png", False)}
    assert all(np.array_equal(mask, left_half()) for mask in result.masks.values())


def test_version_3_has_neither_sizes_nor_types(tmp_path: Path) -> None:
    old = {"shapes": [{"label": "x", "points": LEFT}], "imagePath": "a.png", "imageData": None}
    result = outcome(LabelMe(), tmp_path, {"a.png": picture(), "a.json": packed(old)})
    assert np.array_equal(result.mask, left_half())


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (shape("x", [[0, 0], [1, 1]]), "polygon_broken"),
        (shape("x", [[0, 0], [1]]), "annotation_broken"),
        (shape("x", [[0, 0], [float("nan"), 1], [2, 2]]), "annotation_broken"),
        (shape("", LEFT), "annotation_broken"),
        (shape("x", LEFT, "cuboid"), "shape_unread"),
        (shape("x", LEFT, "circle"), "annotation_broken"),
        (shape("x", [[1, 1], [1, 1]], "circle"), "annotation_broken"),
        (shape("x", [[0, 0], [1, 1]], "mask", mask="%%%"), "base64_broken"),
        (shape("x", [[0, 0], [1, 1]], "mask", mask="aGVsbG8="), "image_unknown"),
        (7, "annotation_broken"),
    ],
)
def test_a_broken_shape_is_left_out_and_named(tmp_path: Path, broken: Any, code: str) -> None:
    result = of_one(tmp_path, shape("x", LEFT), broken)
    assert result.problems == [("warning", code)]
    assert "a.json: Left out: shapes[1]: " in result.messages
    assert np.array_equal(result.mask, left_half())


def test_mostly_broken_shapes_keep_the_set_from_training(tmp_path: Path) -> None:
    result = of_one(tmp_path, shape("x", LEFT), 7, 8)
    assert ("error", "objects_lost") in result.problems
    assert result.found is None


def test_a_mask_too_large_for_its_box_is_left_out(tmp_path: Path) -> None:
    mask = base64.b64encode(encoded(np.ones((4, 4), np.uint8))).decode()
    result = of_one(tmp_path, shape("x", LEFT), shape("x", [[0, 0], [1, 1]], "mask", mask=mask))
    assert result.problems == [("warning", "bitmap_broken")]


def test_255_labels_are_too_many(tmp_path: Path) -> None:
    result = of_one(tmp_path, *(shape(f"label {index}", LEFT) for index in range(255)))
    assert result.problems == [("error", "too_many_classes")]


def test_deep_json_is_refused(tmp_path: Path) -> None:
    files = {"a.png": picture(), "a.json": b'{"imagePath": "a.png", "shapes": ' + b"[" * 100_000}
    assert ("error", "annotation_json") in outcome(LabelMe(), tmp_path, files).problems


def test_other_json_is_left_out_with_a_warning(tmp_path: Path) -> None:
    files = {"a.png": picture(), "a.json": packed(document(shape("x", LEFT))), "package.json": b"{}"}
    result = outcome(LabelMe(), tmp_path, files)
    assert result.problems == [("warning", "file_unread")]
    assert "package.json" in result.messages


MIXED = document(
    shape("x", LEFT),
    shape("y", [[1, 1], [3, 3]], "rectangle"),
    shape("z", [[1, 1], [2, 2]], "circle"),
    shape("m", [[0, 0], [1, 1]], "mask", mask=base64.b64encode(encoded(np.eye(2, dtype=np.uint8))).decode()),
    data=base64.b64encode(picture()).decode(),
    path="a.json",
)


@DRAWN
@given(junked(MIXED))
def test_junk_in_a_document_never_crashes(damaged: Any) -> None:
    survives(LabelMe(), {"a.json": packed(damaged)})
    survives(LabelMe(), {"a.json": packed(damaged), "a.png": picture()})


@DRAWN
@given(scribbled(packed(MIXED)))
def test_scribbled_files_never_crash(data: bytes) -> None:
    survives(LabelMe(), {"a.json": data})


def test_the_real_primitives_have_their_areas(shared_data: Path, tmp_path: Path) -> None:
    files = folder_files(shared_data / "formats" / "labelme_json_primitives")
    result = outcome(LabelMe(), tmp_path, files)
    pixels = result.pixels("primitives")
    assert pixels["rectangle"] == 100 * 100 + 151 * 102
    assert pixels["circle"] == pytest.approx(np.pi * (30**2 + 41**2), rel=0.01)
    assert pixels["octagon"] > 5000
    assert result.problems == [("warning", "line_drawn")]


def test_the_real_image_inside_the_json_is_used(shared_data: Path, tmp_path: Path) -> None:
    """Compared with the class image that LabelMe itself drew of the file: it adds outlines."""
    files = folder_files(shared_data / "formats" / "labelme_json_embedded")
    result = outcome(LabelMe(), tmp_path, files)
    assert result.masks["apc2016_obj3"].shape == (907, 1210)
    assert result.problems == [("warning", "image_unlisted")]
    names = files["expected_label_names.txt"].decode().split()
    drawn = decode_mask(files["expected_label.png"])
    pixels = result.pixels("apc2016_obj3")
    for value, name in enumerate(names[1:], start=1):
        assert pixels[name] == pytest.approx(np.count_nonzero(drawn == value), rel=0.03), name


def test_the_real_shapes_agree_with_the_masks_that_labelme_drew(shared_data: Path, tmp_path: Path) -> None:
    """The same three photos as Pascal VOC; drawing outlines, as LabelMe does, adds to areas a little."""
    formats = shared_data / "formats"
    result = outcome(LabelMe(), tmp_path, folder_files(formats / "labelme_json_semantic"))
    assert result.problems == []
    names = (formats / "voc_palette_semantic" / "class_names.txt").read_text().split("\n")
    for photo in ("2011_000003", "2011_000006", "2011_000025"):
        drawn = decode_mask(
            (formats / "voc_palette_semantic" / "SegmentationClass" / f"{photo}.png").read_bytes()
        )
        for name, pixels in result.pixels(photo).items():
            expected = np.count_nonzero(drawn == (255 if name == "ignored" else names.index(name)))
            assert 100 * abs(pixels - expected) / drawn.size < 0.5, (photo, name)
