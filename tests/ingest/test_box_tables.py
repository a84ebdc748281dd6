"""Tables of boxes as tools write them, with headings or without: each is read right, or asked about."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ingest.boxed import CLASSES, OBJECTS, SIZES, Files, createml, images, voc
from tests.ingest.made import Bench, codes
from tests.ingest.test_boxes import EXPECTED, named

Box = tuple[int, int, int, int]
Row = Callable[[str, tuple[int, int], str, Box], str]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def table(head: str, row: Row, name: str = "boxes.csv") -> Files:
    """One row for each object, below the headings if there are any."""
    rows = [
        row(image, SIZES[image], CLASSES[index], box)
        for image, objects in OBJECTS.items()
        for index, box in objects
    ]
    return images() | {name: "\n".join([*([head] if head else []), *rows]).encode()}


TABLES: dict[str, Files] = {
    "tensorflow": table(
        "filename,width,height,class,xmin,ymin,xmax,ymax",
        lambda image, size, name, box: f"{image}.png,{size[0]},{size[1]},{name},{','.join(map(str, box))}",
    ),
    "retinanet": table(
        "", lambda image, size, name, box: f"/data/a/images/{image}.png,{','.join(map(str, box))},{name}"
    ),
    "retinanet, class first": table(
        "", lambda image, size, name, box: f"{image}.png,{name},{','.join(map(str, box))}"
    ),
    "vertex": table(
        "",
        lambda image, size, name, box: (
            f"TRAIN,gs://bucket/{image}.png,{name},{box[0] / size[0]},{box[1] / size[1]},,,"
            f"{box[2] / size[0]},{box[3] / size[1]},,"
        ),
    ),
    "semicolons": table(
        "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;Class",
        lambda image, size, name, box: f"{image}.png;{size[0]};{size[1]};{';'.join(map(str, box))};{name}",
    ),
    "columns in another order": table(
        "label,ymin,xmin,ymax,xmax,image",
        lambda image, size, name, box: f"{name},{box[1]},{box[0]},{box[3]},{box[2]},{image}.png",
    ),
    "left and top, width and height": table(
        "image\tclass\txmin\tymin\twidth\theight",
        lambda image, size, name, box: (
            f"{image}.png\t{name}\t{box[0]}\t{box[1]}\t{box[2] - box[0]}\t{box[3] - box[1]}"
        ),
        "boxes.tsv",
    ),
    "centres in fractions": table(
        "image,class,x_center,y_center,width,height",
        lambda image, size, name, box: (
            f"{image}.png,{name},{(box[0] + box[2]) / 2 / size[0]},{(box[1] + box[3]) / 2 / size[1]},"
            f"{(box[2] - box[0]) / size[0]},{(box[3] - box[1]) / size[1]}"
        ),
    ),
    "numbers in one column": table(
        "image_id,bbox,label",
        lambda image, size, name, box: f'{image},"[{box[0]}.0, {box[1]}.0, {box[2]}.0, {box[3]}.0]",{name}',
    ),
}


def assert_drawn(bench: Bench) -> None:
    found = named(bench.prepared)
    assert {name for name, objects in EXPECTED.items() if objects} <= found.keys()
    for name, objects in found.items():
        assert [one for one, _ in objects] == [one for one, _ in EXPECTED[name]]
        for (_, box), (_, expected) in zip(objects, EXPECTED[name], strict=True):
            assert box == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("form", TABLES)
def test_tables_of_boxes_are_read_as_drawn(bench: Bench, form: str) -> None:
    result = bench.run(TABLES[form], processes=1)
    assert result.summary is not None, (result.problems, result.questions)
    assert result.summary.reading is not None
    assert (result.summary.reading.format, result.summary.kinds) == ("box_table", ("boxes",))
    assert_drawn(bench)


def test_open_images_has_fractions_by_side_and_names_elsewhere(bench: Bench) -> None:
    keys = dict(zip(CLASSES, ("/m/01g317", "/m/015qff"), strict=True))
    files = table(
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf",
        lambda image, size, name, box: (
            f"{image},x,{keys[name]},1,{box[0] / size[0]:.6f},{box[2] / size[0]:.6f},"
            f"{box[1] / size[1]:.6f},{box[3] / size[1]:.6f},0"
        ),
    )
    names = "\n".join(f"{key},{name}" for name, key in keys.items())
    assert bench.run(files | {"class-descriptions-boxable.csv": names.encode()}, processes=1).summary
    assert_drawn(bench)


def test_numbers_without_a_meaning_are_asked_about(bench: Bench) -> None:
    small: Row = lambda image, size, name, box: f"{image}.png,5,5,{9 + len(name)},9,{name}"  # noqa: E731
    files = table("", small)
    result = bench.run(files, processes=1)
    assert [one.code for one in result.questions] == ["box_form"]
    assert result.questions[0].choices[0].key == "xyxy"
    assert bench.run(files, processes=1, box_form="xywh").summary


def test_flags_of_labels_are_no_boxes(bench: Bench) -> None:
    rows = "\n".join(f"{name}.png,{place % 2},{1 - place % 2},0,1" for place, name in enumerate(SIZES))
    result = bench.run(images() | {"labels.csv": f"file,a,b,c,d\n{rows}".encode()}, processes=1)
    assert result.summary is None or result.summary.kinds == ("labels",)


def test_rows_without_a_box_are_images_without_objects(bench: Bench) -> None:
    files = table("", lambda image, size, name, box: f"{image}.png,{','.join(map(str, box))},{name}")
    files["boxes.csv"] += b"\n2.png,,,,,"
    result = bench.run(files, processes=1)
    assert result.summary is not None, (result.problems, result.questions)
    assert result.summary.images == len(SIZES)
    assert named(bench.prepared)["2"] == []


def test_createml_with_corners_is_asked_about(bench: Bench) -> None:
    document = json.loads(createml(False)["_annotations.createml.json"])
    for entry in document:
        for one in entry["annotations"]:
            at = one["coordinates"]
            at["x"], at["y"] = at["x"] - at["width"] / 2, at["y"] - at["height"] / 2
    files = images() | {"a.json": json.dumps(document).encode()}
    result = bench.run(files, processes=1)
    assert [one.code for one in result.questions] == ["box_form"]
    assert bench.run(files, processes=1, box_form="xywh").summary
    assert_drawn(bench)


def test_turned_boxes_become_the_upright_ones_around_them(bench: Bench) -> None:
    files = voc(False)
    turned = (
        b"<object><name>person</name><robndbox><cx>30</cx><cy>20</cy><w>10</w><h>30</h>"
        b"<angle>1.570796</angle></robndbox></object></annotation>"
    )
    files["Annotations/2.xml"] = files["Annotations/2.xml"].replace(b"</annotation>", turned)
    result = bench.run(files, processes=1)
    assert "box_rotated" in codes(result, "warning")
    assert named(bench.prepared)["2"] == [("person", pytest.approx([15, 15, 45, 25], abs=0.01))]
