"""COCO: the family's demands, and what real exports have wrong."""

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    try_to_rasterize,
)
from tests.ingest.formats.junk import DRAWN
from tests.ingest.made import Array
from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.coco.reader import Coco
from workers.ingest.items import FoundSet
from workers.ingest.problems import ProblemLog

LEFT = [0, 0, WIDTH / 2, 0, WIDTH / 2, HEIGHT, 0, HEIGHT]
RIGHT_RUNS = {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH // 2, HEIGHT * WIDTH // 2]}
ALL = [0, 0, WIDTH, 0, WIDTH, HEIGHT, 0, HEIGHT]


def image(key: Any = 1, name: str = "a.png", **others: Any) -> dict[str, Any]:
    return {"id": key, "file_name": name, "width": WIDTH, "height": HEIGHT, **others}


def drawn(segmentation: Any, category: Any = 1, of: Any = 1, **others: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "image_id": of,
        "category_id": category,
        "segmentation": segmentation,
        "bbox": [0, 0, WIDTH, HEIGHT],
        "iscrowd": 0,
        **others,
    }


def coco(
    annotations: list[Any], images: list[Any] | None = None, categories: list[Any] | None = None
) -> bytes:
    named = [{"id": 1, "name": "square"}] if categories is None else categories
    listed = [image()] if images is None else images
    return json.dumps({"images": listed, "annotations": annotations, "categories": named}).encode()


def read(
    folder: Path, files: dict[str, bytes], **options: Any
) -> tuple[FoundSet | None, dict[str, Array], list[tuple[str, str]]]:
    """What is read of the files, its masks, and the severity and code of all problems."""
    log = ProblemLog()
    masks = {}
    with opened(folder, files) as source:
        found = Coco().read(source, IngestOptions(**options), log)
        for item in found.items if found else ():
            masks[last_part(item)] = rasterized(item, source)
    return found, masks, [(problem.severity, problem.code) for problem in log.problems()]


def of_one(folder: Path, *annotations: Any, **options: Any) -> tuple[Array, list[tuple[str, str]]]:
    """The mask of one image with these annotations."""
    _, masks, problems = read(folder, {"a.png": picture(), "c.json": coco(list(annotations))}, **options)
    return masks["a"], problems


class TestCoco(FormatFamily):
    reader = Coco()
    names: ClassVar = {0: "background", 1: "square", 2: "stripe"}
    masks: ClassVar = {"a": left_half(), "b": np.zeros((HEIGHT, WIDTH), np.uint8), "c": left_half(0, 2)}
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    annotation = "annotations/instances_train.json"
    real = (
        Real(folder="coco_tiny", items=33, shares={"person": 3.9, "ignored": 0.8}),
        Real(
            folder="lpbf_coco",
            items=120,
            shares={"background": 99.55, "defect": 0.45},
            splits=frozenset(("train", "val", "test")),
        ),
        Real(folder="formats/coco_from_cvat", items=4, shares={"bird": 5.9}),
        Real(folder="formats/coco_from_labelme", items=3, shares={"bus": 21.7, "person": 12.3}),
        Real(
            folder="formats/datumaro_tiny/coco_dataset/coco",
            items=2,
            shares={"a": 2.0},
            splits=frozenset(("train", "val")),
        ),
    )
    image = "images/val/c.png"

    def files(self) -> dict[str, bytes]:
        categories = [{"id": 7, "name": "stripe"}, {"id": 3, "name": "square"}]
        train = coco([drawn([LEFT], 3, of=0)], [image(0), image(5, "b.png")], categories)
        val = coco([drawn(RIGHT_RUNS, 7, of="0")], [image("0", "val\\c.png")], categories)
        return {
            "annotations/instances_train.json": train,
            "annotations/instances_val.json": val,
            "images/train/a.png": picture(0),
            "images/train/b.png": picture(1),
            "images/val/c.png": picture(2),
        }


def test_several_outlines_are_one_object(tmp_path: Path) -> None:
    mask, problems = of_one(tmp_path, drawn([[0, 0, 2, 0, 2, 2, 0, 2], [4, 4, 6, 4, 6, 6, 4, 6]]))
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[:2, :2] = expected[4:6, 4:6] = 1
    np.testing.assert_array_equal(mask, expected)
    assert problems == []


def test_compressed_runs(tmp_path: Path) -> None:
    """The text is that of pycocotools 2.0.11 for this mask; it has differences of both signs."""
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[1:3, 0] = expected[2:6, 1] = expected[0, 2] = expected[4, 3] = expected[:, 5] = expected[
        :, 6
    ] = 1
    mask, problems = of_one(tmp_path, drawn({"size": [HEIGHT, WIDTH], "counts": "12534LN;O"}))
    assert problems == []
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(("crowd", "value"), [("ignore", 255), ("label", 1)])
def test_crowds(tmp_path: Path, crowd: str, value: int) -> None:
    mask, _ = of_one(tmp_path, drawn([LEFT], iscrowd=1), crowd=crowd)
    assert (mask[:, :4] == value).all()
    assert (mask[:, 4:] == 0).all()


def test_a_class_of_crowds_alone_is_told(tmp_path: Path) -> None:
    assert of_one(tmp_path, drawn([LEFT], iscrowd=1))[1] == [("warning", "only_crowds")]


@pytest.mark.parametrize(("order", "value"), [("area", 2), ("file", 1)])
def test_the_smaller_object_is_seen_or_the_later(tmp_path: Path, order: str, value: int) -> None:
    categories = [{"id": 1, "name": "facade"}, {"id": 2, "name": "window"}]
    data = coco([drawn([LEFT], 2), drawn([ALL], 1)], categories=categories)
    _, masks, _ = read(tmp_path, {"a.png": picture(), "c.json": data}, order=order)
    assert masks["a"][0, 0] == value
    assert masks["a"][0, -1] == 1


def test_an_annotation_of_nothing_is_told(tmp_path: Path) -> None:
    found, _, problems = read(tmp_path, {"a.png": picture(), "c.json": coco([{**drawn([]), "bbox": None}])})
    assert found is None
    assert problems == [("error", "no_objects"), ("warning", "annotation_broken")]


def test_a_box_among_masks_is_ignored(tmp_path: Path) -> None:
    mask, problems = of_one(tmp_path, drawn([LEFT]), drawn([], bbox=[6, 0, 2, 3]))
    assert problems == [("warning", "masks_missing")]
    assert (mask[:3, 6:] == 255).all()
    assert (mask[3:, 6:] == 0).all()


def test_background_by_name_and_project_by_parent(tmp_path: Path) -> None:
    categories = [
        {"id": 0, "name": "set", "supercategory": "none"},
        {"id": 4, "name": "x", "supercategory": "set"},
    ]
    found, _, _ = read(
        tmp_path, {"a.png": picture(), "c.json": coco([drawn([LEFT], 4)], categories=categories)}
    )
    assert found is not None
    assert found.names == {0: "background", 1: "x"}
    categories[0] = {"id": 0, "name": "_background_", "supercategory": "none"}
    found, _, _ = read(
        tmp_path, {"a.png": picture(), "c.json": coco([drawn([LEFT], 4)], categories=categories)}
    )
    assert found is not None
    assert found.names == {0: "_background_", 1: "x"}


def test_a_root_category_that_is_used_is_a_class(tmp_path: Path) -> None:
    categories = [{"id": 0, "name": "set"}, {"id": 4, "name": "x", "supercategory": "set"}]
    files = {
        "a.png": picture(),
        "c.json": coco([drawn([LEFT], 4), drawn([ALL], 0)], categories=categories),
    }
    found, masks, _ = read(tmp_path, files)
    assert found is not None
    assert found.names == {0: "background", 1: "x", 2: "set"}
    assert masks["a"][0, -1] == 2


def test_duplicate_names_are_one_class(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "x"}, {"id": 2, "name": "x"}, {"id": 3, "name": "y"}]
    found, _, problems = read(
        tmp_path, {"a.png": picture(), "c.json": coco([drawn([LEFT], 3)], categories=categories)}
    )
    assert found is not None
    assert found.names == {0: "background", 1: "x", 2: "y"}
    assert problems == [("warning", "duplicate_class")]


@pytest.mark.parametrize(
    ("segmentation", "code"),
    [
        ([[1, 2, 3, 4]], "polygon_broken"),
        ([[1, 2, 3, 4, 5]], "polygon_broken"),
        ([["a"] * 6], "polygon_broken"),
        ([[0, 0, 1e300, 0, 5, 5]], "polygon_broken"),
        ([[0, 0, None, 0, 5, 5]], "polygon_broken"),
        ("text", "annotation_broken"),
        ({"size": [6, 8], "counts": [50, 50]}, "rle_broken"),
        ({"size": [8, 6], "counts": [24, 24]}, "annotation_broken"),
        ({"size": [1 << 20, 1 << 20], "counts": [1]}, "rle_broken"),
        ({"size": [6, 8], "counts": "ooooooooo0"}, "rle_broken"),
        ({"size": [6, 8], "counts": "o"}, "rle_broken"),
        ({"size": [6, 8], "counts": "\x00\u4e2d"}, "rle_broken"),
        ({"size": [6, 8], "counts": [-5, 10]}, "rle_broken"),
        ({}, "masks_missing"),
    ],
)
def test_broken_regions_are_left_out_and_told(tmp_path: Path, segmentation: Any, code: str) -> None:
    mask, problems = of_one(tmp_path, drawn([LEFT]), drawn(segmentation, bbox=[7, 0, 1, 1]))
    assert problems == [("warning", code)]
    np.testing.assert_array_equal(mask[:, :7], left_half()[:, :7])


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("bad_polygons", [("warning", "polygon_broken"), ("warning", "box_elsewhere")]),
        ("missing_image", [("warning", "image_missing")]),
        ("no_categories", [("warning", "categories_missing")]),
        ("path_prefix", []),
        ("string_ids", []),
        ("truncated", [("error", "json_broken")]),
        ("unknown_category", [("error", "unknown_category")]),
        ("wrong_size", []),
    ],
)
def test_made_faults(shared_data: Path, tmp_path: Path, name: str, codes: list[tuple[str, str]]) -> None:
    folder = shared_data / "nasty" / "made" / "coco"
    files = {f"images/{path.name}": path.read_bytes() for path in (folder / "images").iterdir()}
    log = ProblemLog()
    with opened(tmp_path, files | {"c.json": (folder / f"{name}.json").read_bytes()}) as source:
        assert Coco().recognises(source)
        found = Coco().read(source, IngestOptions(), log)
        refused = ProblemLog()
        for item in found.items if found else ():
            try_to_rasterize(item, source, refused)
    assert [(problem.severity, problem.code) for problem in log.problems()] == codes
    expected = ["annotation_size"] if name == "wrong_size" else []
    assert [problem.code for problem in refused.problems()] == expected


def test_a_deep_file_is_refused_at_once(tmp_path: Path) -> None:
    deep = b'{"images": ' + b"[" * 100_000 + b', "annotations": [], "file_name": 0, "bbox": 0'
    _, _, problems = read(tmp_path, {"a.png": picture(), "c.json": deep})
    assert problems == [("error", "json_deep")]


def test_the_same_image_in_two_records(tmp_path: Path) -> None:
    files = {"a.png": picture(), "c.json": coco([drawn([LEFT])], [image(1), image(2)])}
    found, _, problems = read(tmp_path, files)
    assert found is not None
    assert len(found.items) == 1
    assert problems == [("warning", "duplicate_image")]


NUMBERS = st.one_of(
    st.integers(-10, 20),
    st.floats(allow_nan=True),
    st.just(1 << 70),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
)
JUNK = st.recursive(
    NUMBERS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
SEGMENTATIONS = st.one_of(
    st.lists(st.lists(st.floats(-5, 15), min_size=4, max_size=10), max_size=3),
    st.fixed_dictionaries({"size": JUNK, "counts": JUNK}),
    st.fixed_dictionaries(
        {
            "size": st.just([HEIGHT, WIDTH]),
            "counts": st.lists(st.integers(-2, 60), max_size=8) | st.text("0123456789:;<=o", max_size=9),
        }
    ),
    JUNK,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "id": JUNK,
        "image_id": st.just(1) | JUNK,
        "category_id": st.just(1) | JUNK,
        "segmentation": SEGMENTATIONS,
        "bbox": JUNK,
        "iscrowd": NUMBERS,
    },
)


@DRAWN
@given(
    annotations=st.lists(RECORDS | JUNK, max_size=4),
    images=st.lists(st.just(image()) | JUNK, max_size=3),
    categories=st.lists(st.just({"id": 1, "name": "x"}) | JUNK, max_size=3),
)
def test_no_fragment_crashes_the_reader(
    tmp_path: Path, annotations: list[Any], images: list[Any], categories: list[Any]
) -> None:
    log = ProblemLog()
    files = {"a.png": picture(), "c.json": coco(annotations, images, categories)}
    with opened(tmp_path, files) as source:
        Coco().recognises(source)
        found = Coco().read(source, IngestOptions(), log)
        for item in found.items if found else ():
            try_to_rasterize(item, source, log)
    assert found is not None or log.has_errors


@pytest.mark.parametrize("shift", [0, 7, 40])
def test_lists_across_the_border_of_pieces_are_found(tmp_path: Path, shift: int) -> None:
    """Files are looked at a mebibyte at a time; here the empty list of a split lies across two."""
    head = '{"images": [], "info": "file_name", "file_name": "'
    empty = head + "x" * ((1 << 20) - len(head) - shift) + '", "annotations" : [ \n ], "categories": []}'
    files = {"train.json": coco([drawn([LEFT])]), "val.json": empty.encode(), "a.png": picture()}
    found, _, problems = read(tmp_path, files)
    assert found is not None
    assert [item.split for item in found.items] == ["train"]  # one file alone would name no split
    assert problems == []


def test_annotations_of_no_image_are_told_with_their_number(tmp_path: Path) -> None:
    files = {"a.png": picture(), "c.json": coco([drawn([LEFT]), drawn([ALL], of=8), drawn([ALL], of=9)])}
    log = ProblemLog()
    with opened(tmp_path, files) as source:
        (item,) = getattr(Coco().read(source, IngestOptions(), log), "items", ())
        np.testing.assert_array_equal(rasterized(item, source), left_half())
    (problem,) = log.problems()
    assert problem.code == "unknown_image"
    assert "image id 8" in problem.message
    assert problem.count == 2
    assert [text.partition(": ")[0] for text in problem.examples] == ["c.json"] * 2
