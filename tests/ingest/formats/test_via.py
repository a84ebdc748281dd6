"""VIA: the family's demands, all shapes, what the class of a region is, and junk in JSON and CSV."""

import csv
import io
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, Real, folder_files, left_half, picture
from tests.ingest.formats.junk import DRAWN, Outcome, junked, outcome, scribbled, survives
from workers.ingest.formats.tools.labelme import LabelMe
from workers.ingest.formats.tools.via import Via

HALF = WIDTH // 2
SQUARE = {"name": "polygon", "all_points_x": [0, HALF, HALF, 0], "all_points_y": [0, 0, HEIGHT, HEIGHT]}
STRIPE = {"name": "rect", "x": 0, "y": 0, "width": HALF, "height": HEIGHT}

Shape = dict[str, Any]


def region(shape: Shape, label: Any = "square", **others: Any) -> Shape:
    return {"shape_attributes": shape, "region_attributes": {"label": label} | others}


def entry(filename: str, *regions: Shape) -> Shape:
    return {"filename": filename, "size": 7, "regions": list(regions), "file_attributes": {}}


def annotations(*entries: Shape) -> bytes:
    return json.dumps({f"{one['filename']}7": one for one in entries}).encode()


def project(*entries: Shape) -> bytes:
    images = {f"{one['filename']}7": one for one in entries}
    settings = {"_via_settings": {"project": {"name": "p"}}, "_via_attributes": {"region": {}, "file": {}}}
    return json.dumps(settings | {"_via_img_metadata": images}).encode()


def table(*entries: Shape, first: str = "filename") -> bytes:
    """The CSV of the same."""
    text = io.StringIO()
    writer = csv.writer(text)
    about = ("file_size", "file_attributes", "region_count", "region_id")
    writer.writerow((first, *about, "region_shape_attributes", "region_attributes"))
    for one in entries:
        head = (one["filename"], 7, "{}", len(one["regions"]))
        for number, drawn in enumerate(one["regions"]):
            cells = (json.dumps(drawn["shape_attributes"]), json.dumps(drawn["region_attributes"]))
            writer.writerow((*head, number, *cells))
        if not one["regions"]:
            writer.writerow((*head, 0, "{}", "{}"))
    return text.getvalue().encode()


def of_one(folder: Path, *regions: Shape) -> Outcome:
    """What is read of one image with these regions."""
    files = {"a.png": picture(), "via.json": annotations(entry("a.png", *regions))}
    return outcome(Via(), folder, files)


SET = (entry("a.png", region(SQUARE)), entry("b.png"), entry("c.png", region(STRIPE, "stripe")))


class TestVia(FormatFamily):
    reader = Via()
    names: ClassVar = {0: "background", 1: "square", 2: "stripe"}
    masks: ClassVar = {"a": left_half(), "b": np.zeros((HEIGHT, WIDTH), np.uint8), "c": left_half(2)}
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    image = "val/c.png"
    annotation = "via_project.json"
    real = (
        Real(
            folder="formats/via_json_csv",
            items=4,
            shares={"bird": 5.73, "circle": 0.83, "ellipse": 1.02, "strawberry": 0.90, "triangle": 0.71},
        ),
    )

    def files(self) -> dict[str, bytes]:
        images = {"train/a.png": picture(0), "train/b.png": picture(1), "val/c.png": picture(2)}
        return images | {"via_project.json": project(*SET)}


@pytest.mark.parametrize(
    "files",
    [
        {"via.json": annotations(*SET)},
        {"via.csv": table(*SET)},
        {"via.csv": b"\xef\xbb\xbf" + table(*SET, first="#filename")},
        {
            "via.csv": table(*SET).replace(b'""label"": ""square""', b'""label"": ""other""'),
            "v.json": project(*SET),
        },
        {"1/via.json": annotations(*SET[:1]), "2/via.json": annotations(*SET[1:])},
    ],
    ids=["annotations", "csv", "csv of version 1", "json before csv", "two files"],
)
def test_all_its_files_say_the_same(tmp_path: Path, files: dict[str, bytes]) -> None:
    images = {f"{name}.png": picture(seed) for seed, name in enumerate("abc")}
    result = outcome(Via(), tmp_path, images | files)
    assert result.problems == []
    assert result.found is not None
    assert result.found.names == TestVia.names
    for name, mask in TestVia.masks.items():
        np.testing.assert_array_equal(result.masks[name], mask)


def test_regions_of_version_1_are_an_object(tmp_path: Path) -> None:
    old = entry("a.png") | {"regions": {"0": region(SQUARE)}}
    result = outcome(Via(), tmp_path, {"a.png": picture(), "via.json": annotations(old)})
    assert np.array_equal(result.mask, left_half())


@pytest.mark.parametrize(
    ("shape", "pixels"),
    [
        (STRIPE, 24),
        ({"name": "circle", "cx": 4, "cy": 3, "r": 2}, 12),
        ({"name": "ellipse", "cx": 4, "cy": 3, "rx": 4, "ry": 1}, 12),
        ({"name": "ellipse", "cx": 4, "cy": 3, "rx": 3, "ry": 1, "theta": np.pi / 2}, 12),
        ({"name": "polyline", "all_points_x": [0, 8], "all_points_y": [0, 6]}, 48),
        ({"name": "point", "cx": 4, "cy": 3}, 48),
    ],
)
def test_shapes_cover_what_they_enclose(tmp_path: Path, shape: Shape, pixels: int) -> None:
    result = of_one(tmp_path, region(shape))
    assert np.count_nonzero(result.mask) == pytest.approx(pixels, abs=2)
    thin = shape["name"] in ("polyline", "point")
    assert result.problems == ([("warning", "line_drawn")] if thin else [])


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"species": "cat"}, "cat"),
        ({"species": {"cat": True, "dog": False}}, "cat"),
        ({"occluded": "no", "Class": "cat", "name": "Tom"}, "cat"),
        ({"note": "", "species": "cat"}, "cat"),
        ({"id": 7}, "7"),
    ],
)
def test_the_class_is_the_only_attribute_or_one_so_called(
    tmp_path: Path, attributes: dict[str, Any], name: str
) -> None:
    result = of_one(tmp_path, {"shape_attributes": SQUARE, "region_attributes": attributes})
    assert result.problems == []
    assert result.found is not None
    assert result.found.names == {0: "background", 1: name}


def test_regions_without_a_label_are_of_one_class(tmp_path: Path) -> None:
    result = of_one(tmp_path, {"shape_attributes": SQUARE, "region_attributes": {}})
    assert result.problems == [("warning", "label_missing")]
    assert result.found is not None
    assert result.found.names == {0: "background", 1: "object"}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (region({"name": "cube"}), "shape_unread"),
        (region({"name": "circle", "cx": 1, "cy": 1, "r": 0}), "annotation_broken"),
        (region(SQUARE | {"all_points_x": [1, 2]}), "annotation_broken"),
        (region({"name": "polygon", "all_points_x": [0, 1], "all_points_y": [0, 1]}), "polygon_broken"),
        (region(SQUARE, {"cat": True, "dog": True}), "annotation_broken"),
        ({"shape_attributes": SQUARE, "region_attributes": {"a": "1", "b": "2"}}, "annotation_broken"),
    ],
)
def test_a_broken_region_is_left_out_and_named(tmp_path: Path, wrong: Shape, code: str) -> None:
    result = of_one(tmp_path, region(SQUARE), wrong)
    assert result.problems == [("warning", code)]
    assert "via.json: Left out: a.png, region 2" in result.messages
    assert np.array_equal(result.mask, left_half())


def test_a_project_of_version_3_is_refused_by_name(tmp_path: Path) -> None:
    data = json.dumps({"project": {"vid_list": ["1"]}, "metadata": {}}).encode()
    result = outcome(Via(), tmp_path, {"a.png": picture(), "via.json": data})
    assert ("error", "via_version") in result.problems
    assert "VIA 3; versions 1 and 2 are read" in result.messages


def test_a_csv_with_a_broken_cell_loses_that_region(tmp_path: Path) -> None:
    rows = table(entry("a.png", region(SQUARE), region(STRIPE, "x"))).replace(
        b'{""label"": ""x""}', b"{label: x}"
    )
    result = outcome(Via(), tmp_path, {"a.png": picture(), "via.csv": rows})
    assert result.problems == [("warning", "annotation_broken")]


CLASSED = entry(
    "a.png", region(SQUARE), region({"name": "ellipse", "cx": 4, "cy": 3, "rx": 3, "ry": 2}, {"x": True})
)


@DRAWN
@given(junked({"a.png7": CLASSED}))
def test_junk_in_json_never_crashes(document: Any) -> None:
    survives(Via(), {"via.json": json.dumps(document).encode("utf-8", "replace"), "a.png": picture()})


@DRAWN
@given(scribbled(table(CLASSED)), st.booleans())
def test_scribbled_csv_never_crashes(data: bytes, cut: bool) -> None:
    survives(Via(), {"via.csv": data[: len(data) // 2] if cut else data, "a.png": picture()})


def test_the_real_photos_agree_with_their_other_format(shared_data: Path, tmp_path: Path) -> None:
    folders = {Via(): "via_json_csv", LabelMe(): "labelme_json_v5"}
    via, labelme = (
        outcome(reader, tmp_path, folder_files(shared_data / "formats" / folder))
        for reader, folder in folders.items()
    )
    assert via.problems == [("warning", "line_drawn")]
    for name in ("rectangle", "triangle", "circle", "ellipse"):
        assert via.pixels("shapes")[name] == pytest.approx(labelme.pixels("shapes")[name], rel=0.06), name
