"""Sets of boxes: the same whatever format tells them; their faults are told, mended or refused; what their
numbers mean is certain, or asked."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ingest.boxed import BOXES_ALONE, CLASSES, OBJECTS, SIZES, WRITERS, Files, coco, images, voc, yolo
from tests.ingest.formats.coco_files import boxed, coco_file, image_record
from tests.ingest.made import Bench, codes, encoded, photo
from workers.ingest.pipeline import IngestResult
from workers.prepared.version import PreparedDataset

PAINTED = {"labelme", "cvat", "via", "label_studio", "supervisely"}
"""Tools whose rectangles are masks, too."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def named(prepared: PreparedDataset) -> dict[str, list[tuple[str, list[float]]]]:
    """The objects of each image: their class and box."""
    found = {}
    for sample in prepared.samples:
        objects = prepared.objects(sample)
        names = [prepared.object_classes[index].name for index in objects.classes]
        boxes = objects.boxes.round(3).tolist()
        found[sample.name.rsplit("/", 1)[-1]] = list(zip(names, boxes, strict=True))
    return found


EXPECTED = {
    name: [(CLASSES[index], [float(side) for side in box]) for index, box in objects]
    for name, objects in OBJECTS.items()
}


def assert_as_drawn(bench: Bench, result: IngestResult) -> None:
    assert result.summary is not None, (result.problems, result.questions)
    found = named(bench.prepared)
    assert found.keys() == EXPECTED.keys()
    for name, objects in EXPECTED.items():
        assert [one for one, _ in found[name]] == [one for one, _ in objects]
        boxes = [np.reshape([box for _, box in some], (-1, 4)) for some in (found[name], objects)]
        np.testing.assert_allclose(*boxes, atol=2e-3)


@pytest.mark.parametrize("form", WRITERS)
def test_boxes_are_the_same_in_every_format(bench: Bench, form: str) -> None:
    result = bench.run(WRITERS[form](False), processes=1)
    assert_as_drawn(bench, result)
    summary = result.summary
    assert summary is not None
    assert summary.reading is not None
    assert summary.reading.format == form
    assert summary.kinds == (("boxes", "masks") if form in PAINTED else ("boxes",))
    assert summary.objects is not None
    assert (summary.objects.count, summary.objects.images, summary.objects.most) == (6, 3, 3)
    assert [(one.name, one.objects, one.images) for one in summary.objects.classes] == [
        (CLASSES[0], 3, 2), (CLASSES[1], 3, 3),
    ]  # fmt: skip
    assert codes(result) == []


@pytest.mark.parametrize("form", sorted(WRITERS.keys() - BOXES_ALONE))
def test_outlines_are_the_same_in_every_format(bench: Bench, form: str) -> None:
    result = bench.run(WRITERS[form](True), processes=1)
    assert_as_drawn(bench, result)
    assert result.summary is not None
    assert result.summary.kinds == ("masks", "boxes", "outlines")
    prepared = bench.prepared
    for sample in prepared.samples:
        outlines, mask = prepared.outlines(sample), prepared.mask(sample)
        np.testing.assert_array_equal(outlines.any(axis=0), mask > 0)
        for outline, box in zip(outlines, prepared.objects(sample).boxes, strict=True):
            half = (box[2] - box[0]) * (box[3] - box[1]) / 2
            assert outline.sum() == pytest.approx(half, rel=0.1)


def moved(files: Files, folder: str) -> Files:
    return {f"{folder}/{path}": data for path, data in files.items()}


@pytest.mark.parametrize("form", ["coco", "yolo_seg", "voc_boxes", "box_table", "createml"])
def test_folders_and_case_change_nothing(bench: Bench, form: str) -> None:
    files = moved(WRITERS[form](False), "export/Set 1")
    upper = {path.replace(".png", ".PNG"): data for path, data in files.items()}
    for one in (files, upper, dict(reversed(files.items()))):
        assert_as_drawn(bench, bench.run(one, processes=1))


def test_splits_are_those_of_several_files(bench: Bench) -> None:
    document = json.loads(coco(False)["annotations/instances.json"])
    files = images()
    for split, ids in {"train": (10, 11, 12), "val": (13,)}.items():
        part = {
            **document,
            "images": [one for one in document["images"] if one["id"] in ids],
            "annotations": [one for one in document["annotations"] if one["image_id"] in ids],
        }
        files[f"annotations/instances_{split}.json"] = json.dumps(part).encode()
    result = bench.run(files, processes=1)
    assert_as_drawn(bench, result)
    assert result.summary is not None
    assert result.summary.splits == {"train": 3, "val": 1}


def test_masks_go_before_boxes(bench: Bench) -> None:
    files = voc(False)
    for name, (width, height) in SIZES.items():
        mask = np.zeros((height, width), np.uint8)
        mask[5:20, 5:20] = 1
        files[f"SegmentationClass/{name}.png"] = encoded(mask)
    result = bench.run(files, processes=1)
    assert result.summary is not None
    assert (result.summary.kinds, result.summary.objects) == (("masks",), None)
    assert "boxes_left_out" in codes(result, "warning")
    assert_as_drawn(bench, bench.run(files, processes=1, format="voc_boxes"))


def test_the_order_of_classes_is_that_of_their_ids(bench: Bench) -> None:
    categories = [{"id": 90, "name": "z"}, {"id": 3, "name": "y"}, {"id": 17, "name": "never"}]
    bench.run(one_image([boxed([1, 1, 9, 9], 90), boxed([1, 1, 8, 9], 3)], categories))
    assert [one.name for one in bench.prepared.object_classes] == ["y", "never", "z"]
    (sample, *_) = bench.prepared.samples
    assert bench.prepared.objects(sample).classes.tolist() == [2, 0]


ONE = [{"id": 1, "name": "thing"}]
W, H = 100, 60


def one_image(annotations: Sequence[dict[str, Any]], categories: Sequence[dict[str, Any]] = ONE) -> Files:
    """Two images of W x H with the same boxes."""
    files = {f"{n}.png": encoded(photo(n, H, W)) for n in range(2)}
    records = [image_record(n, f"{n}.png", W, H) for n in range(2)]
    return {**files, "a.json": coco_file(
        [{**one, "image_id": n} for n in range(2) for one in annotations], records, categories
    )}  # fmt: skip


def boxes_of(bench: Bench) -> list[list[float]]:
    return bench.prepared.objects(bench.prepared.samples[0]).boxes.tolist()


def test_boxes_are_cut_to_their_image_or_left_out(bench: Bench) -> None:
    result = bench.run(one_image([
        boxed([90, 50, 30, 30], 1), boxed([10, 10, 20, 20], 1), boxed([200, 10, 20, 20], 1),
        boxed([10, 10, 0, 20], 1), boxed([-0.6, 0, 20.6, 60.4], 1),
    ]))  # fmt: skip
    assert boxes_of(bench) == [[90, 50, 100, 60], [10, 10, 30, 30], [0, 0, 20, 60]]
    problems = {one.code: one for one in result.problems}
    assert problems.keys() == {"box_clipped", "box_empty"}
    cut, left_out = problems["box_clipped"], problems["box_empty"]
    assert "1 of 3 boxes reach beyond the image of 100x60 pixels, the furthest by 20.0" in cut.message
    assert left_out.message.startswith("2 object(s) have a box without area")
    assert (cut.count, left_out.count, cut.file) == (2, 2, "0.png")


CORNERS = [[10, 20, 70, 50], [60, 30, 95, 58], [2, 2, 30, 40]]
"""Of boxes, as left, top, right and bottom: by width and height, two of them would not lie in the image."""


def as_form(form: str) -> list[list[float]]:
    return [
        {"xyxy": [a, b, c, d], "xywh": [a, b, c - a, d - b],
         "cxcywh": [(a + c) / 2, (b + d) / 2, c - a, d - b]}[form]
        for a, b, c, d in CORNERS
    ]  # fmt: skip


def test_boxes_as_two_corners_are_a_question(bench: Bench) -> None:
    files = one_image([boxed(box, 1) for box in as_form("xyxy")])
    [question] = bench.run(files).questions
    assert question.code == "box_form"
    assert "4 of 6 boxes reach beyond" in question.text
    assert [one.options for one in question.choices] == [{"box_form": "xyxy"}, {"box_form": "xywh"}]
    assert all(one.preview for one in question.choices)
    bench.run(files, box_form="xyxy")
    assert boxes_of(bench) == CORNERS
    result = bench.run(files, box_form="xywh")
    assert boxes_of(bench)[0] == [10, 20, 80, 60]
    assert codes(result, "warning") == ["box_clipped"] * 2
    result = bench.run(files, on_question="assume")
    assert boxes_of(bench) == CORNERS
    assert codes(result, "warning") == ["box_form"]
    assert codes(bench.run(files, on_question="fail")) == ["box_form"]


def test_areas_tell_what_numbers_are(bench: Bench) -> None:
    areas = [(c - a) * (d - b) for a, b, c, d in CORNERS]
    drawn = [boxed(box, 1, area=area) for box, area in zip(as_form("xyxy"), areas, strict=True)]
    result = bench.run(one_image(drawn))
    assert boxes_of(bench) == CORNERS
    assert codes(result, "warning") == ["box_form_found"]
    small = [[1, 2, 20, 21], [3, 3, 30, 20]]  # which lie within either way
    drawn = [boxed(box, 1, area=(box[2] - box[0]) * (box[3] - box[1])) for box in small]
    bench.run(one_image(drawn))
    assert boxes_of(bench) == small


def test_outlines_tell_what_numbers_are(bench: Bench) -> None:
    drawn = [
        {**boxed(box, 1), "segmentation": [[a, b, c, b, c, d, a, d]]}
        for box, (a, b, c, d) in zip(as_form("xyxy")[:2], CORNERS[:2], strict=True)
    ]
    result = bench.run(one_image([*drawn, boxed(as_form("xyxy")[2], 1)]))
    assert boxes_of(bench) == CORNERS
    assert codes(result, "warning") == ["box_form_found", "masks_missing"]
    assert result.summary is not None
    assert result.summary.kinds == ("masks", "boxes")


def test_a_box_that_is_not_where_its_outline_is_yields(bench: Bench) -> None:
    polygon = [[10, 10, 30, 10, 30, 30, 10, 30]]
    whole = {**boxed([10, 10, 20, 20], 1), "segmentation": polygon}
    other = {**boxed([60, 30, 20, 20], 1), "segmentation": [[40, 40, 50, 40, 50, 50, 40, 50]]}
    near = {**boxed([9, 9, 22, 22], 1), "segmentation": [[10, 10, 30, 10, 30, 30, 10, 29]]}
    result = bench.run(one_image([whole, other, near]))
    assert boxes_of(bench) == [[10, 10, 30, 30], [40, 40, 50, 50], [9, 9, 31, 31]]
    assert codes(result, "warning") == ["box_elsewhere"]


def test_boxes_drawn_from_their_other_corner(bench: Bench) -> None:
    bench.run(one_image([boxed([30, 40, -20, -30], 1)]))
    assert boxes_of(bench) == [[10, 10, 30, 40]]


def test_numbers_of_0_to_1_are_fractions(bench: Bench) -> None:
    fractions = [[a / W, b / H, (c - a) / W, (d - b) / H] for a, b, c, d in CORNERS]
    result = bench.run(one_image([boxed(box, 1) for box in fractions]))
    np.testing.assert_allclose(boxes_of(bench), CORNERS, atol=1e-4)
    assert codes(result, "warning") == ["box_fractions"]


def yolo_lines(boxes: Sequence[Sequence[float]], *scale: float) -> Files:
    lines = "\n".join(
        "0 " + " ".join(f"{n / s:.6f}" for n, s in zip(box, scale * 2, strict=True)) for box in boxes
    )
    files: Files = {"data.yaml": b"names: [thing]"}
    for n in range(2):
        files |= {f"images/{n}.png": encoded(photo(n, H, W)), f"labels/{n}.txt": lines.encode()}
    return files


@pytest.mark.parametrize("form", ["xyxy", "xywh"])
def test_yolo_lines_of_another_form_are_a_question(bench: Bench, form: str) -> None:
    files = yolo_lines(as_form(form), W, H)
    [question] = bench.run(files).questions
    assert question.code == "box_form"
    assert question.choices[0].options == {"box_form": form} or form == "xywh"
    assert question.choices[-1].options == {"box_form": "cxcywh"}
    bench.run(files, box_form=form)
    np.testing.assert_allclose(boxes_of(bench), CORNERS, atol=1e-3)


def test_yolo_lines_in_pixels_are_read_as_such(bench: Bench) -> None:
    result = bench.run(yolo_lines(as_form("cxcywh"), 1, 1))
    np.testing.assert_allclose(boxes_of(bench), CORNERS, atol=1e-3)
    assert codes(result, "warning") == ["box_pixels"]
    [question] = bench.run(yolo_lines(as_form("xyxy"), 1, 1)).questions
    assert question.choices[0].options == {"box_form": "xyxy"}


def test_yolo_images_without_labels_are_told_and_have_no_objects(bench: Bench) -> None:
    files = yolo(False)
    del files["labels/2.txt"]
    result = bench.run(files, processes=1)
    assert_as_drawn(bench, result)
    assert codes(result, "warning") == ["image_without_labels"]


def edited(files: Files, old: str, new: str, path: str = "Annotations/0.xml") -> Files:
    text = files[path].decode()
    assert old in text
    return {**files, path: text.replace(old, new).encode()}


def test_voc_corners_below_one_are_coordinates(bench: Bench) -> None:
    files = edited(voc(False), "<xmin>1</xmin><ymin>1</ymin>", "<xmin>0</xmin><ymin>1</ymin>")
    bench.run(files, processes=1)
    assert named(bench.prepared)["1"] == [(CLASSES[1], [5, 5, 60, 44])]
    assert named(bench.prepared)["0"][2] == (CLASSES[0], [0, 1, 16, 6])


def test_voc_corners_that_are_turned_are_told(bench: Bench) -> None:
    files = edited(voc(False), "<xmin>11</xmin>", "<xmin>30</xmin>")
    files = edited(files, "<xmax>30</xmax>", "<xmax>11</xmax>")
    result = bench.run(files, processes=1)
    assert_as_drawn(bench, result)
    assert codes(result, "warning") == ["box_turned"]


def test_voc_difficult_objects_are_crowds(bench: Bench) -> None:
    files = edited(voc(False), "<difficult>0", "<difficult>1")
    summary = bench.run(files, processes=1).summary
    assert summary is not None
    assert summary.objects is not None
    assert (summary.objects.count, summary.objects.crowds) == (3, 3)
    summary = bench.run(files, processes=1, crowd="label").summary
    assert summary is not None
    assert summary.objects is not None
    assert (summary.objects.count, summary.objects.crowds) == (6, 0)


def test_voc_files_beside_images_and_cited_by_stale_names(bench: Bench) -> None:
    files = {path.rsplit("/", 1)[-1]: data for path, data in voc(False).items()}
    files = {path: data.replace(b"<filename>", b"<filename>IMG_") for path, data in files.items()}
    result = bench.run(files, processes=1)
    assert_as_drawn(bench, result)
    assert result.summary is not None
    assert result.summary.reading is not None
    assert any("cite another image" in text for text in result.summary.reading.guesses)


def test_voc_sizes_of_nothing_are_not_stated(bench: Bench) -> None:
    files = edited(voc(False), "<width>80</width><height>60</height>", "<width>0</width><height>0</height>")
    assert_as_drawn(bench, bench.run(files, processes=1))


def test_an_annotation_for_another_size_is_refused(bench: Bench) -> None:
    files = edited(voc(False), "<width>80</width>", "<width>160</width>")
    assert codes(bench.run(files, processes=1)) == ["annotation_size"]


def test_labels_map_objects_to_other_classes_or_none(bench: Bench) -> None:
    result = bench.run(coco(False), label_map={2: 1}, classes={1: "thing"}, processes=1)
    assert result.summary is not None, result.problems
    assert {name for objects in named(bench.prepared).values() for name, _ in objects} == {"thing"}
    result = bench.run(coco(False), label_map={2: None}, processes=1)
    assert result.summary is not None
    assert [len(objects) for _, objects in sorted(named(bench.prepared).items())] == [2, 0, 0, 1]
    assert codes(bench.run(coco(False), classes={1: "person"}, processes=1)) == ["unknown_value"]


def test_more_classes_than_masks_have(bench: Bench) -> None:
    categories = [{"id": n, "name": f"c{n}"} for n in range(1, 601)]
    drawn = [boxed([n % 10 * 9, n % 7 * 8, 8, 6], n) for n in (1, 254, 255, 256, 600)]
    result = bench.run(one_image(drawn, categories))
    assert result.summary is not None, result.problems
    found = bench.prepared.objects(bench.prepared.samples[0])
    assert found.classes.tolist() == [0, 253, 254, 255, 599]
    assert result.summary.kinds == ("boxes",)
    polygons = [
        {**one, "segmentation": [[n * 9, 1, n * 9 + 8, 1, n * 9 + 8, 20]]} for n, one in enumerate(drawn)
    ]
    result = bench.run(one_image(polygons, categories))
    assert result.summary is not None, result.problems
    assert result.summary.kinds == ("boxes", "outlines")
    prepared = bench.prepared
    assert prepared.objects(prepared.samples[0]).classes.tolist() == [0, 253, 254, 255, 599]
    assert prepared.outlines(prepared.samples[0]).any(axis=(1, 2)).all()
    assert "masks_unpainted" in codes(result, "warning")


def test_no_object_at_all_is_an_error(bench: Bench) -> None:
    assert codes(bench.run(one_image([boxed([200, 10, 20, 20], 1)]))) == ["objects_lost"]


def test_a_class_that_is_validated_and_never_trained_is_told(bench: Bench) -> None:
    files = yolo(False)
    for name in SIZES:
        split = "val" if name == "1" else "train"
        files[f"images/{split}/{name}.png"] = files.pop(f"images/{name}.png")
        labels = files.pop(f"labels/{name}.txt")
        files[f"labels/{split}/{name}.txt"] = labels if name == "1" else b"0 0.5 0.5 0.2 0.2"
    problems = {one.code: one for one in bench.run(files, processes=1).problems}
    assert "traffic light" in problems["class_untrained"].message


def test_a_training_split_without_any_object_is_an_error(bench: Bench) -> None:
    files = yolo(False)
    for name in SIZES:
        split = "val" if name == "1" else "train"
        files[f"images/{split}/{name}.png"] = files.pop(f"images/{name}.png")
        labels = files.pop(f"labels/{name}.txt")
        files[f"labels/{split}/{name}.txt"] = labels if name == "1" else b""
    assert codes(bench.run(files, processes=1)) == ["train_unlabelled"]


def web_tool_object(index: int, left: int, top: int, right: int, bottom: int) -> str:
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in corners)
    name = f"<name>{CLASSES[index]}</name><deleted>0</deleted>"
    return f"<object>{name}<type>bounding_box</type><polygon>{points}</polygon></object>"


def test_boxes_of_labelmes_web_tool(bench: Bench) -> None:
    files = images()
    for name, (width, height) in SIZES.items():
        drawn = "".join(web_tool_object(index, *box) for index, box in OBJECTS[name])
        size = f"<imagesize><nrows>{height}</nrows><ncols>{width}</ncols></imagesize>"
        document = f"<annotation><filename>{name}.png</filename>{size}{drawn}</annotation>"
        files[f"{name}.xml"] = document.encode()
    result = bench.run(files, processes=1)
    assert_as_drawn(bench, result)
    assert result.summary is not None
    assert result.summary.kinds == ("boxes", "masks")


def test_copies_in_two_splits_are_kept_apart(bench: Bench) -> None:
    files = yolo(False)
    for name in SIZES:
        files[f"images/train/{name}.png"] = files.pop(f"images/{name}.png")
        files[f"labels/train/{name}.txt"] = files.pop(f"labels/{name}.txt")
    files["images/val/copy.png"] = files["images/train/0.png"]
    files["labels/val/copy.txt"] = files["labels/train/0.txt"]
    result = bench.run(files, processes=1)
    assert "image_in_two_splits" in codes(result, "warning")


def test_real_boxes(bench: Bench, shared_data: Path) -> None:
    result = bench.run(bench.zip(files_of(shared_data / "nasty/real/coco_bbox_only")))
    assert result.summary is not None
    assert result.summary.kinds == ("boxes",)
    assert result.summary.objects is not None
    assert (result.summary.objects.count, result.summary.objects.images) == (7, 3)


def files_of(folder: Path) -> Files:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_real_instances_have_the_boxes_of_their_file(bench: Bench, shared_data: Path) -> None:
    """Each box of coco_tiny as its file has it, cut to the image."""
    folder = shared_data / "coco_tiny"
    bench.run(bench.zip(files_of(folder)))
    prepared = bench.prepared
    document = json.loads((folder / "annotations.json").read_text())
    names = {one["id"]: one["name"] for one in document["categories"]}
    records = {one["id"]: one for one in document["images"]}
    expected: dict[str, list[tuple[Any, ...]]] = {}
    for one in document["annotations"]:
        left, top, width, height = one["bbox"]
        record = records[one["image_id"]]
        box = [left, top, min(left + width, record["width"]), min(top + height, record["height"])]
        own = expected.setdefault(Path(record["file_name"]).stem, [])
        own.append((names[one["category_id"]], bool(one["iscrowd"]), box))
    for sample in prepared.samples:
        found = prepared.objects(sample)
        own = expected.get(Path(sample.name).name, [])
        assert [(name, crowd) for name, crowd, _ in own] == [
            (prepared.object_classes[index].name, crowd)
            for index, crowd in zip(found.classes, found.crowd, strict=True)
        ]
        boxes = np.reshape([box for _, _, box in own], (-1, 4))
        np.testing.assert_allclose(found.boxes, boxes, atol=1e-3, err_msg=sample.name)
