"""Of several annotations of one set, those that outline objects are read, and a warning names the rest."""

import json

import numpy as np
import pytest

from tests.ingest.drawn import (
    BOTTOM,
    COUNT,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    coco,
    cvat,
    label_studio,
    labelme,
    masks,
    pictures,
    supervisely,
    via,
    voc,
    yolo,
)
from tests.ingest.made import Bench, codes, encoded, mask
from workers.ingest.pipeline import IngestResult

BOXES = (True,) * COUNT

CREATEML = json.dumps(
    [{"image": "0.png", "annotations": [{"label": "a", "coordinates": {"x": 1, "y": 1, "width": 2}}]}]
).encode()
TABLE = b"filename,width,height,class,xmin,ymin,xmax,ymax\n0.png,8,6,a,1,1,5,4\n"

BESIDE = {
    "yolo": yolo("labels", BOXES),
    "yolo_deep": yolo("data/set/labels/train", BOXES),
    "yolo_beside_images": yolo("images", BOXES),
    "yolo_elsewhere": yolo("boxes", BOXES),
    "coco": {"annotations.json": coco(BOXES)},
    "coco_in_folder": {"annotations/instances_default.json": coco(BOXES)},
    "coco_in_images": {"images/_annotations.coco.json": coco(BOXES)},
    "voc": voc("Annotations"),
    "voc_lower_case": voc("data/annotations"),
    "voc_elsewhere": voc("xml"),
    "labelme": labelme("json", BOXES),
    "labelme_beside_images": labelme("images", BOXES),
    "via": {"via_project.json": via(boxed=True)},
    "cvat": {"annotations.xml": cvat(boxed=True)},
    "label_studio": {"project.json": label_studio(boxed=True)},
    "createml": {"_annotations.createml.json": CREATEML},
    "table": {"labels.csv": TABLE},
    "two_kinds": yolo("labels", BOXES) | voc("Annotations"),
}

OUTLINES = {
    "coco": {"annotations.json": coco()},
    "coco_in_folder": {"annotations/instances.json": coco()},
    "coco_in_images": {"images/_annotations.coco.json": coco()},
    "coco_in_masks": {"masks/annotations.json": coco()},
    "labelme": labelme("json"),
    "labelme_beside_images": labelme("images"),
    "via": {"a/via.json": via(boxed=False)},
    "cvat": {"annotations.xml": cvat(boxed=False)},
    "label_studio": {"project.json": label_studio(boxed=False)},
    "yolo_seg": yolo("labels"),
}


def read_as(result: IngestResult) -> str:
    assert result.summary is not None, (result.problems, result.questions)
    assert result.summary.reading is not None
    return result.summary.reading.format


@pytest.mark.parametrize("kind", BESIDE)
@pytest.mark.parametrize("top", ["", "set/", "My Set/v1/"])
def test_masks_go_before_boxes(bench: Bench, kind: str, top: str) -> None:
    files = {
        f"{top}{path}": data for path, data in (pictures("images") | masks("masks") | BESIDE[kind]).items()
    }
    result = bench.run(dict(reversed(files.items())), processes=1)
    assert read_as(result) == "pictures"
    assert set(codes(result, "warning")) == {"boxes_left_out"}
    assert [problem.count for problem in result.problems] == [2 if kind == "two_kinds" else 1]
    assert {image.shape for image, _ in bench.arrays().values()} == {(6, 8, 3)}
    assert {tuple(np.unique(drawn)) for _, drawn in bench.arrays().values()} == {(0, 1)}


@pytest.mark.parametrize(
    ("images", "drawn", "suffix"),
    [("Images", "Masks", ""), ("img", "img", "_mask"), ("train/images", "train/masks", "")],
)
def test_masks_by_other_names_go_before_boxes(bench: Bench, images: str, drawn: str, suffix: str) -> None:
    files = pictures(images) | masks(drawn, suffix=suffix) | {"boxes.json": coco(BOXES)}
    assert read_as(bench.run(files, processes=1)) == "pictures"


def test_voc_masks_go_before_boxes(bench: Bench) -> None:
    files = pictures("JPEGImages", kind="jpg") | voc("Annotations")
    files |= {f"SegmentationClass/{i}.png": encoded(mask(0, 1)) for i in range(COUNT)}
    files |= {"coco.json": coco(BOXES, "jpg")}
    result = bench.run(files, processes=1)
    assert read_as(result) == "voc"
    assert codes(result, "warning") == ["boxes_left_out"] * 2


def test_supervisely_boxes_go_after_masks(bench: Bench) -> None:
    files = pictures("ds/img") | masks("ds/masks") | supervisely(boxed=True)
    assert read_as(bench.run(files, processes=1)) == "pictures"
    files = pictures("ds/img") | masks("ds/masks") | supervisely(boxed=False)
    assert read_as(bench.run(files, processes=1)) == "supervisely"


@pytest.mark.parametrize("kind", OUTLINES)
@pytest.mark.parametrize("top", ["", "set/"])
def test_annotations_go_before_the_masks_drawn_from_them(bench: Bench, kind: str, top: str) -> None:
    files = {
        f"{top}{path}": data for path, data in (pictures("images") | masks("masks") | OUTLINES[kind]).items()
    }
    result = bench.run(files, processes=1)
    assert kind.startswith(read_as(result))
    assert codes(result, "warning") in (["masks_left_out"], ["class_names_missing", "masks_left_out"])
    left_out = next(problem for problem in result.problems if problem.code == "masks_left_out")
    assert left_out.file == f"{top}masks/0.png"
    assert "`format: pictures`" in left_out.remedy
    assert all(np.ptp(image) > 100 for image, _ in bench.arrays().values())
    assert read_as(bench.run(files, processes=1, format="pictures")) == "pictures"


@pytest.mark.parametrize("place", [0, COUNT - 1])
@pytest.mark.parametrize("kind", ["coco", "labelme", "yolo_seg"])
def test_one_outline_among_boxes_makes_a_set_of_outlines(bench: Bench, kind: str, place: int) -> None:
    boxed = [number != place for number in range(COUNT)]
    beside = {
        "coco": {"annotations.json": coco(boxed)},
        "labelme": labelme("json", boxed),
        "yolo_seg": yolo("labels", boxed),
    }
    result = bench.run(pictures("images") | masks("masks") | beside[kind], processes=1)
    assert read_as(result) == kind
    assert "masks_left_out" in codes(result, "warning")
    assert ("masks_missing" in codes(result, "warning")) == (kind != "labelme")


def test_the_masks_that_labelme_drew_are_left_out(bench: Bench) -> None:
    files = pictures("JPEGImages", kind="jpg") | labelme("json")
    for number in range(COUNT):
        files[f"json/{number}.json"] = files[f"json/{number}.json"].replace(b".png", b".jpg")
        files[f"SegmentationClass/{number}.png"] = encoded(mask(0, 1))
        files[f"SegmentationClassVisualization/{number}.jpg"] = encoded(mask(0, 90), "JPEG")
    result = bench.run(files, processes=1)
    assert read_as(result) == "labelme"
    assert codes(result, "warning") == ["annotations_left_out"]
    assert all(np.ptp(image) > 100 for image, _ in bench.arrays().values())


def test_several_annotations_that_say_the_same(bench: Bench) -> None:
    files = pictures("images") | yolo("labels") | {"data.yaml": b"names: [thing]"}
    files |= {"coco.json": coco(), "via.json": via(boxed=False)} | labelme("json")
    result = bench.run(files, processes=1)
    assert read_as(result) == "coco"
    assert codes(result, "warning") == ["annotations_left_out"] * 3


def test_outlines_of_one_tool_go_before_boxes_of_others(bench: Bench) -> None:
    files = pictures("images") | yolo("labels") | voc("Annotations") | {"coco.json": coco(BOXES)}
    result = bench.run(files | {"data.yaml": b"names: [thing]"}, processes=1)
    assert read_as(result) == "yolo_seg"
    assert codes(result, "warning") == ["boxes_left_out"] * 2


def test_of_boxes_in_several_formats_the_first_is_read(bench: Bench) -> None:
    files = pictures("images") | yolo("labels", BOXES) | {"coco.json": coco(BOXES)}
    result = bench.run(files, processes=1)
    assert result.summary is not None, result.problems
    assert (read_as(result), result.summary.kinds) == ("coco", ("boxes",))
    assert codes(result, "warning") == ["annotations_left_out"]
    assert read_as(bench.run(files, processes=1, format="yolo_seg")) == "yolo_seg"


def test_boxes_of_fewer_images_in_another_format_are_a_question(bench: Bench) -> None:
    files = pictures("images") | yolo("labels", BOXES) | {"coco.json": coco(BOXES[:2])}
    [question] = bench.run(files, processes=1).questions
    assert question.code == "format"
    assert [one.key for one in question.choices] == ["yolo_seg", "coco"]


def test_annotations_of_fewer_images_than_masks_are_a_question(bench: Bench) -> None:
    files = pictures("images") | masks("masks") | {"a.json": coco((False,) * 2)}
    [question] = bench.run(files, processes=1).questions
    assert question.code == "format"
    assert [(one.key, one.count, one.options) for one in question.choices] == [
        ("pictures", COUNT, {"format": "pictures"}),
        ("coco", 2, {"format": "coco"}),
    ]
    assert all(choice.preview and choice.examples for choice in question.choices)
    for choice in question.choices:
        assert read_as(bench.run(files, processes=1, **choice.options)) == choice.key
    result = bench.run(files, processes=1, on_question="assume")
    assert read_as(result) == "pictures"
    assert codes(result, "warning") == ["format"]
    assert codes(bench.run(files, processes=1, on_question="fail")) == ["format"]


def test_annotations_of_other_classes_are_a_question(bench: Bench) -> None:
    files = pictures("images") | {"coco.json": coco()} | labelme("json", label="other")
    [question] = bench.run(files, processes=1).questions
    assert [choice.key for choice in question.choices] == ["coco", "labelme"]
    result = bench.run(files, processes=1, on_question="assume")
    assert read_as(result) == "coco"


def test_a_broken_annotation_beside_masks_is_told(bench: Bench) -> None:
    files = pictures("images") | masks("masks") | {"annotations.json": coco()[:-40]}
    result = bench.run(files, processes=1)
    assert codes(result) == ["json_broken"]
    assert "masks_left_out" in codes(result, "warning")


def panoptic() -> dict[str, bytes]:
    """Pictures of ids in `panoptic/`: the left half of each is the thing 7, the rest the stuff 9."""
    ids = np.zeros((6, 8, 3), np.uint8)
    ids[:, :4, 0], ids[:, 4:, 0] = 7, 9
    document = {
        "images": [{"id": i, "file_name": f"{i}.png"} for i in range(COUNT)],
        "annotations": [
            {
                "image_id": i,
                "file_name": f"{i}.png",
                "segments_info": [{"id": 7, "category_id": 1}, {"id": 9, "category_id": 2}],
            }
            for i in range(COUNT)
        ],
        "categories": [{"id": 1, "name": "thing"}, {"id": 2, "name": "sky"}],
    }
    files = {f"annotations/panoptic/{i}.png": encoded(ids) for i in range(COUNT)}
    return files | {"annotations/panoptic.json": json.dumps(document).encode()}


def test_panoptic_segments_beside_instances_are_a_question(bench: Bench) -> None:
    """The segments have classes that the instances lack."""
    files = pictures("images") | {"annotations/instances.json": coco()} | panoptic()
    [question] = bench.run(files, processes=1).questions
    assert [choice.key for choice in question.choices] == ["coco", "coco_panoptic"]
    for choice in question.choices:
        assert read_as(bench.run(files, processes=1, **choice.options)) == choice.key


def test_faults_of_one_kind_in_one_file_are_one_problem(bench: Bench) -> None:
    document = json.loads(coco())
    document["annotations"] += [
        {**document["annotations"][0], "id": 100 + i, "segmentation": [[1, 1]]} for i in range(30)
    ]
    document["images"] += [{"id": 50 + i, "file_name": f"{i}.png"} for i in range(3)]
    document["images"].append({"id": 60, "file_name": "bare.png", "width": 8, "height": 6})
    files = pictures("images") | {"images/bare.png": pictures("x", 1)["x/0.png"]}
    result = bench.run(files | {"a.json": json.dumps(document).encode()}, processes=1)
    assert {problem.code: problem.count for problem in result.problems} == {
        result.problems[0].code: 30,
        "duplicate_image": 3,
    }
    assert len(result.problems[0].examples) == 10
    assert not bench.arrays()["bare"][1].any()


@pytest.mark.parametrize(
    ("files", "pairs", "classes"),
    [
        ({"a.json": coco()}, "file_name", "categories of a.json"),
        (labelme("images"), "imagePath", "labels of the shapes"),
        (labelme("images") | {"labels.txt": b"thing\n"}, "imagePath", "labels.txt"),
        (yolo("labels"), "labels/ for images/", "class numbers"),
        (yolo("labels") | {"data.yaml": b"names: [thing]"}, "labels/ for images/", "names in data.yaml"),
        ({"v.json": via(boxed=False)}, "filename", "attributes"),
        ({"c.xml": cvat(boxed=False)}, "name in the XML", "labels of the XML"),
        ({"p.json": label_studio(boxed=False)}, "task", "labels of the regions"),
    ],
)
def test_the_record_says_how_images_were_found(
    bench: Bench, files: dict[str, bytes], pairs: str, classes: str
) -> None:
    summary = bench.run(pictures("images") | files, processes=1).summary
    assert summary is not None
    assert summary.reading is not None
    assert pairs in summary.reading.pairs
    assert classes in summary.reading.classes


def parted(values: tuple[int, ...], number: int) -> bytes:
    """A mask that has these values in turn where the object is, in several pieces each."""
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    drawn[TOP:BOTTOM, LEFT:RIGHT] = np.resize(np.roll(values, number), (BOTTOM - TOP, RIGHT - LEFT))
    return encoded(drawn)


@pytest.mark.parametrize("kind", ["coco", "labelme", "via", "cvat", "yolo_seg"])
@pytest.mark.parametrize("values", [(1, 2), (1, 2, 3), (128, 255)])
def test_masks_of_more_classes_than_the_annotations_are_a_question(
    bench: Bench, kind: str, values: tuple[int, ...]
) -> None:
    files = pictures("images") | {f"masks/{i}.png": parted(values, i) for i in range(COUNT)} | OUTLINES[kind]
    [question] = bench.run(files, processes=1).questions
    assert question.code == "format"
    assert [choice.options["format"] for choice in question.choices] == [kind, "pictures"]
    result = bench.run(files, processes=1, format="pictures")
    assert result.summary is not None
    assert len(result.summary.classes) == len(values) + 1


@pytest.mark.parametrize("kind", ["coco", "labelme", "via", "cvat", "yolo_seg"])
def test_masks_of_other_places_than_the_annotations_are_left_out_and_said(bench: Bench, kind: str) -> None:
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    drawn[:, RIGHT + 1 :] = 255
    files = pictures("images") | {f"masks/{i}.png": encoded(drawn) for i in range(COUNT)} | OUTLINES[kind]
    result = bench.run(files, processes=1)
    assert read_as(result) == kind
    assert {"masks_elsewhere", "masks_left_out"} <= set(codes(result, "warning"))
    assert read_as(bench.run(files, processes=1, format="pictures")) == "pictures"


@pytest.mark.parametrize("value", [1, 7, 255])
def test_masks_that_say_the_same_or_less_are_no_question(bench: Bench, value: int) -> None:
    files = (
        pictures("images") | {f"masks/{i}.png": parted((value,), i) for i in range(COUNT)} | OUTLINES["coco"]
    )
    assert read_as(bench.run(files, processes=1)) == "coco"
