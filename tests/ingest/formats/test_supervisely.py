"""Supervisely: the family's demands, all geometries, and bitmaps that nobody should trust."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, Real, folder_files, left_half, picture
from tests.ingest.formats.junk import DRAWN, Outcome, junked, outcome, scribbled, survives
from tests.ingest.made import Array, encoded
from workers.ingest.formats.tools.label_studio import LabelStudio
from workers.ingest.formats.tools.supervisely import MAX_PICTURE, Supervisely

TWO_BY_TWO = np.array([[1, 0], [1, 1]], np.uint8)


def meta(*titles: str) -> bytes:
    return packed({"classes": [{"title": title, "shape": "any", "color": "#51C6AA"} for title in titles]})


def annotation(*objects: Any, tags: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {
        "description": "",
        "tags": list(tags),
        "size": {"height": HEIGHT, "width": WIDTH},
        "objects": [*objects],
    }


def bitmap(title: str, data: bytes, origin: Any = (0, 0)) -> dict[str, Any]:
    text = base64.b64encode(zlib.compress(data)).decode()
    return {"geometryType": "bitmap", "classTitle": title, "bitmap": {"data": text, "origin": list(origin)}}


def drawn(title: str, kind: str, exterior: Any, *holes: Any) -> dict[str, Any]:
    points = {"exterior": exterior, "interior": [*holes]}
    return {"geometryType": kind, "classTitle": title, "points": points}


def transparent(values: Array) -> bytes:
    """A PNG with a palette, of which 0 is transparent and 1 is black: as Supervisely writes bitmaps."""
    image = Image.fromarray(values, "P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    return encoded(image, transparency=0)


def packed(value: Any) -> bytes:
    return json.dumps(value).encode()


def of_one(folder: Path, *objects: Any, **options: Any) -> Outcome:
    """What is read of one image with these objects of the classes x and y."""
    files = {
        "meta.json": meta("x", "y"),
        "ds/img/a.png": picture(),
        "ds/ann/a.png.json": packed(annotation(*objects)),
    }
    return outcome(Supervisely(), folder, files, **options)


class TestSupervisely(FormatFamily):
    reader = Supervisely()
    names: ClassVar = {0: "background", 1: "stripe", 2: "square"}
    masks: ClassVar = {"a": left_half(2), "b": np.zeros((HEIGHT, WIDTH), np.uint8), "c": left_half(1)}
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    image = "ds2/img/c.png"
    annotation = "ds1/ann/a.png.json"
    real = (Real(folder="formats/supervisely", items=6, shares={"kiwi": 7.04, "lemon": 4.43}),)

    def files(self) -> dict[str, bytes]:
        half = drawn("square", "rectangle", [[0, 0], [WIDTH // 2 - 1, HEIGHT - 1]])
        mask = bitmap("stripe", transparent(np.ones((HEIGHT, WIDTH // 2), np.uint8)))
        train, val = {"name": "train"}, {"name": "val"}
        return {
            "meta.json": meta("stripe", "square"),
            "ds1/img/a.png": picture(0),
            "ds1/ann/a.png.json": packed(annotation(half, tags=(train,))),
            "ds1/img/b.png": picture(1),
            "ds1/ann/b.png.json": packed(annotation(tags=(train, {"name": "night"}))),
            "ds2/img/c.png": picture(2),
            "ds2/ann/c.json": packed(annotation(mask, tags=(val,))),
        }


@pytest.mark.parametrize(
    "data",
    [
        transparent(TWO_BY_TWO),
        encoded(TWO_BY_TWO),
        encoded(TWO_BY_TWO.astype(bool)),
        encoded(np.dstack([np.full((2, 2, 3), 9, np.uint8), TWO_BY_TWO * 255])),
        encoded(np.dstack([TWO_BY_TWO * 200] * 3)),
    ],
)
def test_bitmaps_lie_at_their_origin(tmp_path: Path, data: bytes) -> None:
    result = of_one(tmp_path, bitmap("x", data, origin=(3, 2)))
    assert result.problems == []
    assert np.array_equal(result.mask[2:4, 3:5], TWO_BY_TWO)
    assert result.mask.sum() == 3


def test_bitmaps_are_cut_at_the_edges(tmp_path: Path) -> None:
    result = of_one(tmp_path, bitmap("x", encoded(np.ones((4, 4), np.uint8)), origin=(-2, 4)))
    assert np.argwhere(result.mask).tolist() == [[4, 0], [4, 1], [5, 0], [5, 1]]


def test_polygons_have_holes(tmp_path: Path) -> None:
    """Corners are centres of pixels, and of the outline itself the upper left half counts."""
    outer, hole = [[0, 0], [6, 0], [6, 5], [0, 5]], [[2, 2], [4, 2], [4, 4], [2, 4]]
    result = of_one(tmp_path, drawn("x", "polygon", outer, hole))
    assert result.mask.sum() == 6 * 5 - 2 * 2
    assert result.mask[3, 3] == 0


def test_a_rectangle_has_the_pixels_of_its_corners(tmp_path: Path) -> None:
    result = of_one(tmp_path, drawn("x", "rectangle", [[5, 4], [2, 1]]))
    assert np.argwhere(result.mask)[[0, -1]].tolist() == [[1, 2], [4, 5]]
    assert result.mask.sum() == 16


@pytest.mark.parametrize(("kind", "points"), [("line", [[0, 0], [7, 5]]), ("point", [[4, 3]])])
def test_lines_and_points_are_drawn_with_a_warning(tmp_path: Path, kind: str, points: Any) -> None:
    result = of_one(tmp_path, drawn("x", kind, points))
    assert result.mask.all()
    assert result.problems == [("warning", "line_drawn")]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (bitmap("x", b"hello"), "image_unknown"),
        (bitmap("x", encoded(TWO_BY_TWO), origin=(1,)), "annotation_broken"),
        (bitmap("x", encoded(TWO_BY_TWO), origin=("a", 0)), "annotation_broken"),
        (bitmap("x", encoded(TWO_BY_TWO)[:46]), "image_broken"),
        (bitmap("x", bytes(MAX_PICTURE + 1)), "bitmap_broken"),
        (bitmap("x", b"") | {"bitmap": {"data": "aGVsbG8=", "origin": [0, 0]}}, "bitmap_broken"),
        (bitmap("x", b"") | {"bitmap": {"data": "?", "origin": [0, 0]}}, "base64_broken"),
        (drawn("x", "polygon", [[0, 0], [1, 1]]), "polygon_broken"),
        (drawn("x", "rectangle", [[0, 0]]), "annotation_broken"),
        (drawn("x", "graph", []), "shape_unread"),
        (drawn("x", "cuboid", []), "shape_unread"),
        ("x", "annotation_broken"),
    ],
)
def test_a_broken_object_is_left_out_and_named(tmp_path: Path, broken: Any, code: str) -> None:
    sound = drawn("x", "rectangle", [[0, 0], [WIDTH // 2 - 1, HEIGHT - 1]])
    result = of_one(tmp_path, sound, broken)
    assert result.problems == [("warning", code)]
    assert "ds/ann/a.png.json: Left out: objects[1]: " in result.messages
    assert np.array_equal(result.mask, left_half())


def test_a_class_outside_the_project_is_an_error(tmp_path: Path) -> None:
    result = of_one(tmp_path, drawn("z", "rectangle", [[0, 0], [1, 1]]))
    assert ("error", "label_unknown") in result.problems
    assert "'z' is not in the project's list: x, y." in result.messages


def test_a_broken_project_file_is_an_error(tmp_path: Path) -> None:
    files = {"meta.json": b'{"classes": 3}', "ds/img/a.png": picture(), "ds/ann/a.png.json": b"{}"}
    result = outcome(Supervisely(), tmp_path, files)
    assert result.problems == [("error", "annotation_broken")]


def test_the_same_name_in_two_data_sets_is_two_images(tmp_path: Path) -> None:
    files = {"meta.json": meta("x")}
    for place, right in (("one", 3), ("two", 7)):
        box = drawn("x", "rectangle", [[0, 0], [right, HEIGHT - 1]])
        files |= {
            f"{place}/img/a.png": picture(),
            f"{place}/ann/a.png.json": packed(annotation(box)),
        }
    result = outcome(Supervisely(), tmp_path, files)
    assert result.found is not None
    assert {item.name: item.image.path for item in result.found.items} == {
        "one/img/a": "one/img/a.png",
        "two/img/a": "two/img/a.png",
    }


MIXED = annotation(
    bitmap("x", transparent(TWO_BY_TWO), origin=(1, 1)),
    drawn("y", "polygon", [[0, 0], [6, 0], [6, 5], [0, 5]], [[2, 2], [4, 2], [4, 4]]),
    drawn("x", "rectangle", [[0, 0], [1, 1]]),
    drawn("y", "point", [[0, 0]]),
    tags=({"name": "train"},),
)
PROJECT = {"classes": [{"title": "x", "color": "#FF0000"}, {"title": "y", "color": "#00FF00"}]}


@DRAWN
@given(junked(MIXED))
def test_junk_in_an_annotation_never_crashes(damaged: Any) -> None:
    files = {"meta.json": packed(PROJECT), "ds/img/a.png": picture(), "ds/ann/a.png.json": packed(damaged)}
    survives(Supervisely(), files)


@DRAWN
@given(junked(PROJECT))
def test_junk_in_the_project_never_crashes(damaged: Any) -> None:
    files = {"meta.json": packed(damaged), "ds/img/a.png": picture(), "ds/ann/a.png.json": packed(MIXED)}
    survives(Supervisely(), files)


@DRAWN
@given(scribbled(packed(MIXED)))
def test_scribbled_files_never_crash(data: bytes) -> None:
    survives(
        Supervisely(), {"meta.json": packed(PROJECT), "ds/img/a.png": picture(), "ds/ann/a.png.json": data}
    )


def test_the_real_photos_agree_with_their_brush_strokes(shared_data: Path, tmp_path: Path) -> None:
    """Label Studio's export was made from these masks; one lemon is a polygon there."""
    formats = shared_data / "formats"
    found = outcome(Supervisely(), tmp_path, folder_files(formats / "supervisely"))
    strokes = outcome(LabelStudio(), tmp_path, folder_files(formats / "label_studio"))
    assert found.problems == []
    for photo in ("IMG_0748", "IMG_1836"):
        assert found.pixels(photo) == strokes.pixels(photo)
    assert found.pixels("IMG_2084")["kiwi"] == strokes.pixels("IMG_2084")["kiwi"]
    assert found.found is not None
    assert found.found.colors == {1: (255, 0, 0), 2: (0x51, 0xC6, 0xAA)}
