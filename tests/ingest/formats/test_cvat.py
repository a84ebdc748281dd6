"""CVAT for images: the family's demands, all shapes, and XML that nobody should trust."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, Real, folder_files, left_half, picture
from tests.ingest.formats.junk import DRAWN, Outcome, outcome, scribbled, survives
from workers.ingest.formats.coco.reader import Coco
from workers.ingest.formats.tools.cvat import Cvat
from workers.ingest.formats.tools.labelme import LabelMe

LEFT = f"0,0;{WIDTH / 2},0;{WIDTH / 2},{HEIGHT};0,{HEIGHT}"
ALL = f"0,0;{WIDTH},0;{WIDTH},{HEIGHT};0,{HEIGHT}"


def polygon(label: str, points: str = LEFT, z: int = 0) -> str:
    return f'<polygon label="{label}" source="manual" points="{points}" z_order="{z}"></polygon>'


def image(name: str, *shapes: str, others: str = "") -> str:
    return f'<image id="0" name="{name}" width="{WIDTH}" height="{HEIGHT}" {others}>{"".join(shapes)}</image>'


def document(*images: str, labels: dict[str, str] | None = None) -> bytes:
    listed = "".join(
        f"<label><name>{name}</name><color>{color}</color></label>" for name, color in (labels or {}).items()
    )
    meta = f"<meta><task><labels>{listed}</labels></task></meta>"
    body = f"<version>1.1</version>{meta}{''.join(images)}"
    return f'<?xml version="1.0"?><annotations>{body}</annotations>'.encode()


def of_one(folder: Path, *shapes: str, labels: dict[str, str] | None = None, **options: str) -> Outcome:
    """What is read of one image with these shapes."""
    files = {"a.png": picture(), "annotations.xml": document(image("a.png", *shapes), labels=labels)}
    return outcome(Cvat(), folder, files, **options)


class TestCvat(FormatFamily):
    reader = Cvat()
    names: ClassVar = {0: "background", 1: "square", 2: "unused", 3: "stripe"}
    masks: ClassVar = {"a": left_half(), "b": np.zeros((HEIGHT, WIDTH), np.uint8), "c": left_half(3)}
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    image = "images/Validation/c.png"
    annotation = "annotations.xml"
    real = (
        Real(folder="formats/cvat_xml", items=4, shares={"bird": 5.90, "ellipse": 1.82, "strawberry": 0.81}),
        Real(folder="formats/cvat_mask_rle", items=3, shares={"kiwi": 6.60, "lemon": 4.09}),
        Real(
            folder="formats/datumaro_tiny/cvat_dataset/for_images/export_project",
            items=6,
            shares={},
            splits=frozenset(("train", "val", "test")),
        ),
    )

    def files(self) -> dict[str, bytes]:
        mask = '<mask label="stripe" rle="0, 24" left="0" top="0" width="4" height="6"/>'
        images = (
            image("sub/a.png", polygon("square"), others='subset="Train"'),
            image("b.png", others='subset="Train"'),
            image("c.png", mask, others='subset="Validation"'),
        )
        labels = {"square": "#ff0000", "unused": "#00ff00", "stripe": "#0000ff"}
        return {
            "annotations.xml": document(*images, labels=labels),
            "images/Train/sub/a.png": picture(0),
            "images/Train/b.png": picture(1),
            "images/Validation/c.png": picture(2),
        }


@pytest.mark.parametrize(
    ("shape", "pixels"),
    [
        ('<box label="x" xtl="2" ytl="1" xbr="6" ybr="5"/>', 16),
        ('<box label="x" xtl="2" ytl="2" xbr="6" ybr="4" rotation="90"/>', 8),
        ('<ellipse label="x" cx="4" cy="3" rx="4" ry="1"/>', 12),
        ('<ellipse label="x" cx="4" cy="3" rx="3" ry="1" rotation="90"/>', 12),
        ('<polyline label="x" points="0,0;8,6"/>', 48),
        ('<points label="x" points="0,0;8,6"/>', 40),
        ('<mask label="x" rle="1, 1, 1, 1" left="3" top="2" width="2" height="2"/>', 2),
        (polygon("x", "0,0;8,0;8,6"), 24),
    ],
)
def test_shapes_cover_what_they_enclose(tmp_path: Path, shape: str, pixels: int) -> None:
    result = of_one(tmp_path, shape)
    assert np.count_nonzero(result.mask) == pytest.approx(pixels, abs=2)
    thin = shape.startswith(("<polyline", "<points"))
    assert result.problems == ([("warning", "line_drawn")] if thin else [])


def test_rotation_turns_about_the_centre(tmp_path: Path) -> None:
    result = of_one(tmp_path, '<box label="x" xtl="2" ytl="2" xbr="6" ybr="4" rotation="90"/>')
    assert np.array_equal(np.argwhere(result.mask)[[0, -1]], [[1, 3], [4, 4]])


def test_a_mask_is_read_row_by_row(tmp_path: Path) -> None:
    result = of_one(tmp_path, '<mask label="x" rle="1, 1, 1, 1" left="3" top="2" width="2" height="2"/>')
    assert np.argwhere(result.mask).tolist() == [[2, 4], [3, 4]]


def test_colours_are_those_of_the_project(tmp_path: Path) -> None:
    labels = {"background": "#000000", "x": "#832364", "y": "red"}
    result = of_one(tmp_path, polygon("x"), labels=labels)
    assert result.found is not None
    assert result.found.names == {0: "background", 1: "x", 2: "y"}
    assert result.found.colors == {1: (0x83, 0x23, 0x64)}


@pytest.mark.parametrize(
    ("order", "seen", "problems"), [("area", 2, [("warning", "z_order_unused")]), ("file", 1, [])]
)
def test_z_order_counts_where_the_order_is_that_of_the_file(
    tmp_path: Path, order: str, seen: int, problems: list[tuple[str, str]]
) -> None:
    result = of_one(tmp_path, polygon("above", ALL, z=1), polygon("below", LEFT, z=0), order=order)
    assert result.mask[0, 0] == seen
    assert result.problems == problems


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ('<polygon label="x" points="0,0;1,1"/>', "polygon_broken"),
        ('<polygon label="x" points="0,0;1;2,2"/>', "annotation_broken"),
        ('<polygon label="x" points="0,0;nan,1;2,2"/>', "annotation_broken"),
        ('<polygon label="x"/>', "annotation_broken"),
        ('<polygon points="0,0;1,1;2,2"/>', "annotation_broken"),
        ('<box label="x" xtl="a" ytl="2" xbr="6" ybr="4"/>', "annotation_broken"),
        ('<ellipse label="x" cx="4" cy="3" rx="0" ry="1"/>', "annotation_broken"),
        ('<cuboid label="x" xtl1="1"/>', "shape_unread"),
        ('<mask label="x" rle="1, 2" left="0" top="0" width="2" height="2"/>', "bitmap_broken"),
        ('<mask label="x" rle="5, -1" left="0" top="0" width="2" height="2"/>', "bitmap_broken"),
        ('<mask label="x" rle="0, 99" left="0" top="0" width="90000" height="90000"/>', "bitmap_broken"),
        ('<mask label="x" rle="a" left="0" top="0" width="2" height="2"/>', "annotation_broken"),
    ],
)
def test_a_broken_shape_is_left_out_and_named(tmp_path: Path, shape: str, code: str) -> None:
    result = of_one(tmp_path, polygon("x"), shape)
    assert result.problems == [("warning", code)]
    assert "annotations.xml: Left out: a.png, " in result.messages
    assert np.array_equal(result.mask, left_half())


def test_a_label_outside_the_project_is_an_error(tmp_path: Path) -> None:
    result = of_one(tmp_path, polygon("x"), polygon("y"), labels={"x": "#ff0000"})
    assert result.problems == [("error", "label_unknown")]
    assert "'y' is not in the project's list: x." in result.messages


def test_tracks_of_videos_are_refused(tmp_path: Path) -> None:
    files = {"frame.png": picture(), "a.xml": document('<track id="0" label="x"></track>')}
    assert ("error", "cvat_video") in outcome(Cvat(), tmp_path, files).problems


def test_entities_are_refused(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>'
    files = {"a.png": picture(), "a.xml": bomb + document(image("a.png", polygon("&y;"))).split(b"?>")[1]}
    result = outcome(Cvat(), tmp_path, files)
    assert ("error", "annotation_xml") in result.problems
    assert "DOCTYPE" in result.messages


def test_several_tasks_are_read_together(tmp_path: Path) -> None:
    files = {
        "1/a.png": picture(),
        "1/annotations.xml": document(image("a.png", polygon("x")), labels={"x": "#ff0000"}),
        "2/a.png": picture(1),
        "2/annotations.xml": document(image("a.png", polygon("y")), labels={"y": "#00ff00"}),
    }
    result = outcome(Cvat(), tmp_path, files)
    assert result.problems == []
    assert result.found is not None
    assert {item.name: item.truth.file for item in result.found.items} == {
        "1/a": "1/annotations.xml",
        "2/a": "2/annotations.xml",
    }


def test_an_image_annotated_twice_is_a_warning(tmp_path: Path) -> None:
    files = {"a.png": picture(), "a.xml": document(image("a.png", polygon("x")), image("a.png"))}
    result = outcome(Cvat(), tmp_path, files)
    assert result.problems == [("warning", "duplicate_image")]
    assert np.array_equal(result.mask, left_half())


SHAPES = (
    polygon("x"),
    '<box label="y" xtl="2" ytl="1" xbr="6" ybr="5" rotation="10"/>',
    '<ellipse label="x" cx="4" cy="3" rx="4" ry="1"/>',
    '<points label="x" points="0,0;8,6"/>',
    '<mask label="y" rle="1, 1, 1, 1" left="3" top="2" width="2" height="2"/>',
)
MIXED = document(image("a.png", *SHAPES), labels={"x": "#ff0000", "y": "#00ff00"})


@DRAWN
@given(st.data())
def test_junk_in_an_attribute_never_crashes(data: st.DataObject) -> None:
    """One attribute's value or one text of the document is replaced."""
    parts = MIXED.decode().split('"')
    at = data.draw(st.integers(0, len(parts) // 2 - 1)) * 2 + 1
    letters = st.text(alphabet="0123456789.,;-e x\u00e9", max_size=12)
    parts[at] = data.draw(st.one_of(letters, st.sampled_from(["nan", "-1", "1e99", "9" * 30, "0,0;0,0;0,0"])))
    survives(Cvat(), {"annotations.xml": '"'.join(parts).encode(), "a.png": picture()})


@DRAWN
@given(scribbled(MIXED))
def test_scribbled_files_never_crash(data: bytes) -> None:
    survives(Cvat(), {"annotations.xml": data, "a.png": picture()})


def test_the_real_photos_agree_with_their_other_formats(shared_data: Path, tmp_path: Path) -> None:
    """Drawn by hand once per tool, in COCO exported from CVAT: areas differ by a few percent, or hardly."""
    folders = {Cvat(): "cvat_xml", Coco(): "coco_from_cvat", LabelMe(): "labelme_json_v5"}
    cvat, coco, labelme = (
        outcome(reader, tmp_path, folder_files(shared_data / "formats" / folder), crowd="label")
        for reader, folder in folders.items()
    )
    assert cvat.problems == [("warning", "line_drawn")]
    bird = cvat.pixels("birds")["bird"]
    assert bird == pytest.approx(coco.pixels("birds")["bird"], rel=0.001)
    assert bird == pytest.approx(labelme.pixels("birds")["bird"], rel=0.02)
    shapes = cvat.pixels("shapes")
    assert shapes["triangle"] == pytest.approx(coco.pixels("shapes")["triangle"], rel=0.001)
    assert shapes["ellipse"] == pytest.approx(coco.pixels("shapes")["ellipse"], rel=0.02)
    for name in ("rectangle", "triangle", "line"):
        assert shapes[name] == pytest.approx(labelme.pixels("shapes")[name], rel=0.02), name
    strawberries = cvat.pixels("strawberry")["strawberry"]
    assert strawberries == pytest.approx(labelme.pixels("strawberry")["strawberry"], rel=0.06)
