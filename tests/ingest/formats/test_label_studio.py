"""Label Studio: the family's demands, all regions and the choice of annotations."""

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, Real, folder_files, left_half, picture
from tests.ingest.formats.junk import DRAWN, Outcome, junked, outcome, scribbled, survives
from tests.ingest.formats.test_label_studio_rle import encode_brush
from tests.ingest.made import Array
from workers.ingest.formats.tools.cvat import Cvat
from workers.ingest.formats.tools.label_studio import LabelStudio

LEFT = {"points": [[0, 0], [50, 0], [50, 100], [0, 100]]}


def packed(value: Any) -> bytes:
    return json.dumps(value).encode()


def region(label: str, kind: str, value: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "id": "r",
        "type": f"{kind}labels",
        "value": {**value, f"{kind}labels": [label]},
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        **others,
    }


def annotation(*results: Any, **others: Any) -> dict[str, Any]:
    return {"id": 1, "was_cancelled": False, "ground_truth": False, "result": [*results], **others}


def task(path: Any, *annotations: Any, **others: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"image": path}, "annotations": [*annotations], **others}


def brush(label: str, mask: Array, **others: Any) -> dict[str, Any]:
    """A brush stroke of this mask, (H, W) of 0 and 1."""
    return region(label, "brush", {"format": "rle", "rle": [*encode_brush(mask)]}, **others)


def of_one(folder: Path, *results: Any, **options: Any) -> Outcome:
    """What is read of one image with these results."""
    files = {"a.png": picture(), "export.json": packed([task("/data/upload/1/a.png", annotation(*results))])}
    return outcome(LabelStudio(), folder, files, **options)


class TestLabelStudio(FormatFamily):
    reader = LabelStudio()
    names: ClassVar = {0: "background", 1: "square", 2: "stripe"}
    masks: ClassVar = {"a": left_half(), "b": np.zeros((HEIGHT, WIDTH), np.uint8), "c": left_half(2)}
    splits: ClassVar = {"c": "val"}
    image = "images/val/c.png"
    annotation = "project.json"
    real = (Real(folder="formats/label_studio", items=3, shares={"kiwi": 6.60, "lemon": 4.07}),)

    def files(self) -> dict[str, bytes]:
        tasks = [
            task("/data/upload/1/0a1b2c3d-a.png", annotation(region("square", "polygon", LEFT))),
            task("s3://bucket/photos/b.png", annotation()),
            task("/data/local-files/?d=val/c.png", annotation(brush("stripe", left_half()))),
        ]
        return {
            "project.json": packed(tasks),
            "images/a.png": picture(0),
            "images/b.png": picture(1),
            "images/val/c.png": picture(2),
        }


@pytest.mark.parametrize(
    ("kind", "value", "pixels"),
    [
        ("polygon", {"points": [[0, 0], [100, 0], [100, 100]]}, 24),
        ("rectangle", {"x": 25, "y": 50, "width": 50, "height": 50, "rotation": 0}, 12),
        ("rectangle", {"x": 50, "y": 0, "width": 75, "height": 50, "rotation": 90}, 18),
        ("ellipse", {"x": 50, "y": 50, "radiusX": 50, "radiusY": 100 / 6, "rotation": 0}, 12),
        ("ellipse", {"x": 50, "y": 50, "radiusX": 37.5, "radiusY": 100 / 6, "rotation": 90}, 12),
        ("keypoint", {"x": 50, "y": 50, "width": 1}, 48),
    ],
)
def test_regions_are_in_percent(tmp_path: Path, kind: str, value: dict[str, Any], pixels: int) -> None:
    result = of_one(tmp_path, region("x", kind, value))
    assert np.count_nonzero(result.mask) == pytest.approx(pixels, abs=2)
    assert result.problems == ([("warning", "line_drawn")] if kind == "keypoint" else [])


def test_a_rectangle_turns_about_its_corner(tmp_path: Path) -> None:
    box = {"x": 50, "y": 0, "width": 75, "height": 50, "rotation": 90}
    result = of_one(tmp_path, region("x", "rectangle", box))
    assert np.argwhere(result.mask)[[0, -1]].tolist() == [[0, 1], [5, 3]]


def test_labels_may_be_a_result_of_their_own(tmp_path: Path) -> None:
    bare = {**region("x", "polygon", LEFT), "type": "polygon", "value": LEFT}
    labelled = {**bare, "type": "labels", "value": {"labels": ["stripe"]}}
    result = of_one(tmp_path, bare, labelled)
    assert result.problems == []
    assert result.found is not None
    assert result.found.names == {0: "background", 1: "stripe"}


def test_results_of_whole_images_are_passed_over(tmp_path: Path) -> None:
    choice = {"id": "c", "type": "choices", "value": {"choices": ["day"]}}
    result = of_one(tmp_path, choice, region("x", "polygon", LEFT))
    assert result.problems == []
    assert np.array_equal(result.mask, left_half())


OLD = annotation(region("old", "polygon", LEFT), id=1, updated_at="2023-01-01T00:00:00Z")
NEW = annotation(region("new", "polygon", LEFT), id=2, updated_at="2023-01-02T00:00:00Z")
GONE = annotation(id=3, updated_at="2024-01-01T00:00:00Z", was_cancelled=True)


@pytest.mark.parametrize(
    ("annotations", "label", "codes"),
    [
        ([NEW, OLD], "new", ["several_annotations"]),
        ([OLD | {"ground_truth": True}, NEW], "old", ["several_annotations"]),
        ([GONE, OLD], "old", []),
    ],
)
def test_one_annotation_of_a_task_is_read(
    tmp_path: Path, annotations: list[Any], label: str, codes: list[str]
) -> None:
    files = {"a.png": picture(), "a.json": packed([task("a.png", *annotations)])}
    result = outcome(LabelStudio(), tmp_path, files)
    assert result.found is not None
    assert result.found.names == {0: "background", 1: label}
    assert [code for _, code in result.problems] == codes


@pytest.mark.parametrize("annotations", [[], [GONE]])
def test_a_task_without_annotation_is_left_out(tmp_path: Path, annotations: list[Any]) -> None:
    files = {
        "a.png": picture(),
        "b.png": picture(1),
        "a.json": packed([task("a.png", NEW), task("b.png", *annotations)]),
    }
    result = outcome(LabelStudio(), tmp_path, files)
    assert list(result.masks) == ["a"]
    assert ("warning", "task_unannotated") in result.problems


@pytest.mark.parametrize(
    "address",
    [
        "/data/upload/12/0a1b2c3d-my photo.png",
        "/data/upload/12/0a1b2c3d-my%20photo.png",
        "https://host/files/my%20photo.png?X-Amz-Signature=ab/c.png",
        "gs://bucket/my photo.png",
        "/data/local-files/?d=deep%2Fmy%20photo.png",
        "C:\\pictures\\my photo.png",
        "MY PHOTO.PNG",
    ],
)
def test_images_are_found_by_their_name(tmp_path: Path, address: str) -> None:
    files = {"images/my photo.png": picture(), "a.json": packed([task(address, NEW)])}
    result = outcome(LabelStudio(), tmp_path, files)
    assert list(result.masks) == ["my photo"], result.messages


def test_an_image_that_kept_its_prefix_is_found(tmp_path: Path) -> None:
    files = {
        "0a1b2c3d-a.png": picture(),
        "ffffffff-a.png": picture(1),
        "a.json": packed([task("/data/upload/1/0a1b2c3d-a.png", NEW), task("ffffffff-a.png", OLD)]),
    }
    result = outcome(LabelStudio(), tmp_path, files)
    assert result.masks["0a1b2c3d-a"].max() == 1
    assert result.masks["ffffffff-a"].max() == 2


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (region("x", "polygon", {"points": [[0, 0], [1, 1]]}), "polygon_broken"),
        (region("x", "polygon", {"points": [[0, 0], ["a", 1], [2, 2]]}), "annotation_broken"),
        (region("x", "polygon", LEFT, original_width=None), "annotation_broken"),
        (region("x", "polygon", LEFT, original_width=10**6, original_height=10**6), "annotation_broken"),
        (region("x", "polygon", LEFT, original_width=WIDTH + 1), "annotation_broken"),
        (region("x", "polygon", LEFT, image_rotation=90), "image_rotated"),
        (region("x", "ellipse", {"x": 1, "y": 1, "radiusX": 0, "radiusY": 1}), "annotation_broken"),
        (region("x", "brush", {"format": "rle", "rle": [1, 2, 3]}), "bitmap_broken"),
        (region("x", "brush", {"format": "rle", "rle": [256]}), "annotation_broken"),
        (brush("x", np.ones((3, 3), np.uint8)), "bitmap_broken"),
        (region("x", "polygon", LEFT) | {"value": LEFT, "id": "alone"}, "annotation_broken"),
        (3, "annotation_broken"),
    ],
)
def test_a_broken_region_is_left_out_and_named(tmp_path: Path, broken: Any, code: str) -> None:
    result = of_one(tmp_path, region("x", "polygon", LEFT), broken)
    assert result.problems == [("warning", code)]
    assert "export.json: Left out: [0].result[1]: " in result.messages
    assert np.array_equal(result.mask, left_half())


def test_a_broken_task_is_an_error_that_names_it(tmp_path: Path) -> None:
    files = {"a.png": picture(), "a.json": packed([task("a.png", NEW), {"data": {}, "annotations": 3}])}
    result = outcome(LabelStudio(), tmp_path, files)
    assert result.problems == [("error", "annotation_broken")]
    assert "a.json: [1]: annotations must be a list; it is 3." in result.messages


def test_the_minimal_export_is_named_in_the_remedy(tmp_path: Path) -> None:
    minimal = packed([{"image": "a.png", "id": 1, "label": [region("x", "polygon", LEFT)["value"]]}])
    result = outcome(LabelStudio(), tmp_path, {"a.png": picture(), "a.json": minimal})
    assert result.found is None
    assert ("warning", "file_unread") in result.problems


MIXED = [
    task(
        "/data/upload/1/0a1b2c3d-a.png",
        annotation(
            region("x", "polygon", LEFT),
            region("y", "rectangle", {"x": 25, "y": 50, "width": 50, "height": 50, "rotation": 9}),
            region("x", "ellipse", {"x": 50, "y": 50, "radiusX": 9, "radiusY": 9, "rotation": 0}),
            brush("y", left_half()),
            updated_at="2023-01-01",
        ),
        OLD,
    )
]


@DRAWN
@given(junked(MIXED))
def test_junk_in_a_task_never_crashes(damaged: Any) -> None:
    survives(LabelStudio(), {"a.json": packed(damaged), "a.png": picture()})


@DRAWN
@given(scribbled(packed(MIXED)))
def test_scribbled_files_never_crash(data: bytes) -> None:
    survives(LabelStudio(), {"a.json": data, "a.png": picture()})


def test_the_real_strokes_are_those_of_cvat(shared_data: Path, tmp_path: Path) -> None:
    """Both were made from the same masks, but one lemon that is a polygon here."""
    formats = shared_data / "formats"
    found = outcome(LabelStudio(), tmp_path, folder_files(formats / "label_studio"))
    runs = outcome(Cvat(), tmp_path, folder_files(formats / "cvat_mask_rle"), order="area")
    assert found.problems == []
    for photo in ("IMG_0748", "IMG_1836"):
        assert np.array_equal(found.masks[photo], runs.masks[photo])
    assert found.pixels("IMG_2084")["kiwi"] == runs.pixels("IMG_2084")["kiwi"]
    assert found.pixels("IMG_2084")["lemon"] == pytest.approx(runs.pixels("IMG_2084")["lemon"], rel=0.02)


def test_a_real_export_without_its_image_names_it(shared_data: Path, tmp_path: Path) -> None:
    files = folder_files(shared_data / "formats" / "label_studio_real_polygons_no_image")
    result = outcome(LabelStudio(), tmp_path, files)
    assert result.problems == [("error", "image_missing")]
    assert "data_polygons.json: The image e97d4735-000000000025.jpg is not in the upload" in result.messages
