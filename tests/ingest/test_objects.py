"""Objects beside masks: where they lie once images are turned and made smaller, which are left out, and what
of a set's content they are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ingest.formats.coco_files import annotation, coco_file, image_record
from tests.ingest.made import Array, Bench, encoded, photo
from workers.prepared.version import PreparedDataset, Sample

HEIGHT, WIDTH = 60, 80
CATEGORIES = [{"id": 7, "name": "disc"}, {"id": 3, "name": "box"}]
BOX = [10, 8, 30, 8, 30, 24, 10, 24]
TRIANGLE = [40.5, 30.25, 70, 31, 52, 55.5]
BESIDE = [60, 2, 75, 2, 75, 12, 60, 12]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def upload(
    *drawn: dict[str, Any], orientation: int = 0, stated: tuple[int, int] = (WIDTH, HEIGHT)
) -> dict[str, bytes]:
    """Two images with these annotations each, and one without any."""
    records, annotations, files = [], [], {}
    for number in range(3):
        files[f"{number}.jpg"] = encoded(photo(number, HEIGHT, WIDTH), "JPEG", orientation)
        records.append(image_record(number, f"{number}.jpg", *stated))
        if number < 2:
            annotations += [{**one, "image_id": number} for one in drawn]
    return {**files, "instances.json": coco_file(annotations, records, CATEGORIES)}


THREE = (annotation([BOX], 3), annotation([TRIANGLE], 7), annotation([BESIDE], 7, iscrowd=1))


def first(prepared: PreparedDataset) -> Sample:
    return next(sample for sample in prepared.samples if sample.name == "0")


def test_instances_train_whatever_they_allow(bench: Bench) -> None:
    result = bench.run(upload(*THREE))
    assert result.summary is not None
    assert result.summary.kinds == ("masks", "boxes", "outlines")
    prepared = bench.prepared
    assert [info.name for info in prepared.classes] == ["background", "box", "disc"]
    assert [(info.index, info.name, info.value) for info in prepared.object_classes] == [
        (0, "box", 1),
        (1, "disc", 2),
    ]
    found = prepared.objects(first(prepared))
    np.testing.assert_allclose(found.boxes, [[10, 8, 30, 24], [40.5, 30.25, 70, 55.5], [60, 2, 75, 12]])
    assert found.classes.tolist() == [0, 1, 1]
    assert found.crowd.tolist() == [False, False, True]
    mask, outlines = prepared.mask(first(prepared)), prepared.outlines(first(prepared))
    np.testing.assert_array_equal(outlines[0] == 1, mask == 1)
    np.testing.assert_array_equal(outlines[1] == 1, mask == 2)
    np.testing.assert_array_equal(outlines[2] == 1, mask == 255)
    assert [sample.objects for sample in sorted(prepared.samples, key=lambda one: one.name)] == [3, 3, 0]


def test_what_there_is_of_objects_is_told(bench: Bench) -> None:
    summary = bench.run(upload(*THREE, annotation([[0, 0, 80, 0, 80, 60, 0, 60]], 3))).summary
    assert summary is not None
    assert summary.objects is not None
    assert (summary.objects.count, summary.objects.crowds, summary.objects.images) == (6, 2, 2)
    assert summary.objects.most == 3
    assert summary.objects.sizes == {"small": 4, "medium": 2, "large": 0}
    assert [(one.name, one.objects, one.images) for one in summary.objects.classes] == [
        ("box", 4, 2),
        ("disc", 2, 2),
    ]


def enclosed(mask: Array) -> list[float]:
    rows, columns = np.nonzero(mask)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("max_side", [None, 57, 20])
@pytest.mark.parametrize("turned", [False, True])
def test_objects_move_with_their_image(
    bench: Bench, orientation: int, max_side: int | None, turned: bool
) -> None:
    """Stated as stored, or as displayed: by the mask, which is turned and made smaller by other code."""
    swapped = orientation >= 5 and turned
    stated = (HEIGHT, WIDTH) if swapped else (WIDTH, HEIGHT)
    shape = [10, 8, 30, 8, 30, 24, 10, 24], [35, 30, 56, 31, 42, 55.5]
    drawn = [annotation([one], category) for one, category in zip(shape, (3, 7), strict=True)]
    result = bench.run(upload(*drawn, orientation=orientation, stated=stated), max_side=max_side)
    assert result.summary is not None, result.problems
    prepared = bench.prepared
    sample = first(prepared)
    mask, outlines, found = prepared.mask(sample), prepared.outlines(sample), prepared.objects(sample)
    scale = sample.width / (HEIGHT if orientation >= 5 else WIDTH)
    for outline, box, index in zip(outlines, found.boxes, found.classes, strict=True):
        np.testing.assert_array_equal(outline == 1, mask == index + 1)
        np.testing.assert_allclose(box, enclosed(outline), atol=1.01 if scale == 1 else 1.3)
    found.check(sample.width, sample.height, 2)


def test_a_box_that_reaches_beyond_is_cut_and_one_outside_left_out(bench: Bench) -> None:
    partly, outside = [[70, 50, 90, 50, 90, 70, 70, 70]], [[90, 70, 99, 70, 99, 80]]
    result = bench.run(upload(annotation(partly, 3), annotation([BOX], 3), annotation(outside, 7)))
    found = bench.prepared.objects(first(bench.prepared))
    np.testing.assert_allclose(found.boxes, [[70, 50, 80, 60], [10, 8, 30, 24]])
    problems = {problem.code: problem for problem in result.problems}
    assert problems["box_empty"].count == 2
    assert problems["box_empty"].file == "0.jpg"
    assert "1 object(s)" in problems["box_empty"].message


def test_most_objects_beyond_their_image_are_an_error(bench: Bench) -> None:
    outside = [annotation([[90 + n, 70, 99, 70, 99, 80]], 3) for n in range(2)]
    result = bench.run(upload(annotation([BOX], 3), *outside))
    assert (result.problems[0].severity, result.problems[0].code) == ("error", "objects_lost")


def test_an_object_that_is_annotated_twice_is_read_once(bench: Bench) -> None:
    result = bench.run(upload(annotation([BOX], 3), annotation([BOX], 3), annotation([BOX], 7)))
    assert bench.prepared.objects(first(bench.prepared)).classes.tolist() == [0, 1]
    assert [one.code for one in result.problems] == ["object_twice", "class_absent"]


def test_what_is_too_small_to_have_a_pixel_is_left_out(bench: Bench) -> None:
    result = bench.run(upload(annotation([BOX], 3), annotation([[50, 50, 52, 50, 52, 52]], 7)), max_side=16)
    assert bench.prepared.objects(first(bench.prepared)).classes.tolist() == [0]
    assert "object_empty" in {one.code for one in result.problems}


@pytest.mark.parametrize(("label_map", "classes", "indices"), [
    ({1: 2}, ["disc"], [0, 0]),
    ({2: 0}, ["box"], [0]),
    ({2: None}, ["box"], [0]),
])  # fmt: skip
def test_a_label_map_goes_for_objects_too(
    bench: Bench, label_map: dict[int, int | None], classes: list[str], indices: list[int]
) -> None:
    names = {0: "background"} | {
        value + 1 if classes == ["box"] else 2: name for value, name in enumerate(classes)
    }
    result = bench.run(upload(*THREE[:2]), label_map=label_map, classes=names)
    assert result.summary is not None, result.problems
    prepared = bench.prepared
    assert [info.name for info in prepared.object_classes] == classes
    found = prepared.objects(first(prepared))
    assert found.classes.tolist() == indices
    assert len(prepared.outlines(first(prepared))) == len(indices)


def grouped(tool: str) -> dict[str, bytes]:
    """Two squares of one group, one of another label in it, and one of no group."""
    squares = [("a", 10, 7), ("a", 40, 7), ("b", 20, 7), ("a", 60, None)]
    corners = [[[x, 5], [x + 8, 5], [x + 8, 15], [x, 15]] for _, x, _ in squares]
    shapes = [
        {"label": label, "points": points, "shape_type": "polygon", "group_id": group}
        for (label, _, group), points in zip(squares, corners, strict=True)
    ]
    drawn = "".join(
        f'<polygon label="{label}" group_id="{group or 0}" '
        f'points="{";".join(f"{x},{y}" for x, y in points)}"/>'
        for (label, _, group), points in zip(squares, corners, strict=True)
    )
    files = {f"{n}.png": encoded(photo(n, HEIGHT, WIDTH)) for n in range(2)}
    if tool == "labelme":
        for n in range(2):
            document = {"shapes": shapes, "imagePath": f"{n}.png", "imageWidth": WIDTH, "imageHeight": HEIGHT}
            files[f"{n}.json"] = json.dumps(document).encode()
        return files
    images = "".join(
        f'<image name="{n}.png" width="{WIDTH}" height="{HEIGHT}">{drawn}</image>' for n in range(2)
    )
    return {**files, "annotations.xml": f"<annotations>{images}</annotations>".encode()}


@pytest.mark.parametrize("tool", ["labelme", "cvat"])
def test_parts_of_one_group_are_one_object(bench: Bench, tool: str) -> None:
    result = bench.run(grouped(tool))
    assert result.summary is not None, result.problems
    prepared = bench.prepared
    found, outlines = prepared.objects(first(prepared)), prepared.outlines(first(prepared))
    assert found.boxes.tolist() == [[10, 5, 48, 15], [20, 5, 28, 15], [60, 5, 68, 15]]
    assert [prepared.object_classes[index].name for index in found.classes] == ["a", "b", "a"]
    assert outlines.sum(axis=(1, 2)).tolist() == [160, 80, 80]
    assert outlines[0, 5:15, 10:18].all()
    assert outlines[0, 5:15, 40:48].all()


def test_crowds_may_be_read_as_objects(bench: Bench) -> None:
    summary = bench.run(upload(annotation([BOX], 3, iscrowd=1)), crowd="label").summary
    assert summary is not None
    assert summary.objects is not None
    assert (summary.objects.count, summary.objects.crowds) == (2, 0)


def content(bench: Bench, files: dict[str, bytes], **options: Any) -> str:
    summary = bench.run(files, **options).summary
    assert summary is not None
    return summary.content_hash


def test_the_content_is_that_of_objects_too(bench: Bench) -> None:
    """Each of these has the same masks."""
    whole = annotation([[10, 8, 50, 8, 50, 24, 10, 24]], 3)
    halves = (
        annotation([[10, 8, 30, 8, 30, 24, 10, 24]], 3),
        annotation([[30, 8, 50, 8, 50, 24, 30, 24]], 3),
    )
    beside = annotation([TRIANGLE], 7)
    hashes = [content(bench, upload(*drawn, beside)) for drawn in ([whole], halves, [halves[0], whole])]
    assert len(set(hashes)) == 3
    assert content(bench, upload(whole, beside)) == hashes[0]


def test_the_content_of_masks_alone_is_what_it_was(bench: Bench) -> None:
    """The hash was computed before sets had objects: runs name it."""
    files = {}
    for number in range(4):
        mask = np.zeros((12, 16), np.uint8)
        mask[2:8, 3 + number : 9] = 1
        files[f"images/{number}.png"] = encoded(np.full((12, 16, 3), 10 * number, np.uint8), "BMP")
        files[f"masks/{number}.png"] = encoded(mask, "BMP")
    assert content(bench, files) == "a67b17f32020b7c30443cf2dd550265a964e6d651f15ec8a80d3919f25ed9ace"


@pytest.mark.parametrize("processes", [1, 3])
def test_processes_write_the_same_objects(bench: Bench, processes: int) -> None:
    records, annotations, files = [], [], {}
    for number in range(40):
        files[f"{number:02}.png"] = encoded(photo(number, 20 + number, 30))
        records.append(image_record(number, f"{number:02}.png", 30, 20 + number))
        for one in range(number % 5):
            corner = [one * 5, number % 7, one * 5 + 4, number % 7, one * 5 + 4, 15]
            annotations.append({**annotation([corner], (3, 7)[one % 2]), "image_id": number})
    bench.run({**files, "a.json": coco_file(annotations, records, CATEGORIES)}, processes=processes)
    prepared = bench.prepared
    for sample in prepared.samples:
        number = int(sample.name)
        found = prepared.objects(sample)
        expected = [[5 * one, number % 7, 5 * one + 4, 15] for one in range(number % 5)]
        assert found.boxes.tolist() == expected
        assert prepared.outlines(sample).shape == (number % 5, 20 + number, 30)
