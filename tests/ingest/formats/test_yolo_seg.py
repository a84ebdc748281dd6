"""YOLO segmentation: layouts, names, and lines that are none."""

from pathlib import Path
from typing import ClassVar

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
)
from tests.ingest.formats.junk import DRAWN
from tests.ingest.made import encoded, photo
from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.yolo.labels import is_label_text, parse_labels
from workers.ingest.formats.yolo.reader import YoloSeg
from workers.ingest.items import FoundSet
from workers.ingest.problems import ProblemLog, Refused

LEFT = "0 0 0.5 0 0.5 1 0 1"


def read(folder: Path, files: dict[str, bytes]) -> tuple[FoundSet | None, list[tuple[str, str]]]:
    log = ProblemLog()
    with opened(folder, files) as source:
        found = YoloSeg().read(source, IngestOptions(), log)
    return found, [(problem.severity, problem.code) for problem in log.problems()]


class TestYoloSeg(FormatFamily):
    reader = YoloSeg()
    names: ClassVar = {0: "background", 1: "crop", 2: "weed"}
    masks: ClassVar = {"a": left_half(1), "b": np.zeros((HEIGHT, WIDTH), np.uint8), "c": left_half(2)}
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    image = "valid/images/c.png"
    annotation = "train/labels/a.txt"
    real = (
        Real(
            folder="cropweed_yoloseg",
            items=47,
            shares={"background": 96.0, "crop": 4.0},
            splits=frozenset(("train", "val", "test")),
        ),
        Real(
            folder="formats/datumaro_tiny/yolov8_segmentation",
            items=1,
            shares={"label_2": 6.67, "label_4": 3.33},
        ),
    )

    def files(self) -> dict[str, bytes]:
        return {
            "data.yaml": b"train: C:\\x\\train\nval: valid\nnames:\n  0: crop\n  1: weed\n",
            "train/images/a.png": picture(0),
            "train/images/b.png": picture(1),
            "train/labels/a.txt": f"0 {LEFT}\n".encode(),
            "train/labels/b.txt": b"",
            "valid/images/c.png": picture(2),
            "valid/labels/c.txt": f"1 {LEFT} 0 0\r\n".encode(),
        }

    def damaged(self) -> dict[str, bytes]:
        return super().damaged() | {"empty": b"\xff", "half": b"0 0.1 0.1 0.5 0.5 0.2"}


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/train/a.png", "labels/train/a.txt"),
        ("train/images/a.png", "train/labels/a.txt"),
        ("set/Images/day/a.PNG", "set/labels/day/a.txt"),
        ("data/a.png", "data/a.txt"),
    ],
)
def test_layouts(tmp_path: Path, image: str, label: str) -> None:
    found, problems = read(
        tmp_path, {image: picture(), label: f"0 {LEFT}".encode(), "classes.txt": b"crop\n"}
    )
    assert problems == []
    assert found is not None
    assert [item.image.path for item in found.items if item.image] == [image]


def test_fractions_are_of_the_displayed_image(tmp_path: Path) -> None:
    turned = encoded(photo(), "JPEG", 6)
    files = {"images/a.jpg": turned, "labels/a.txt": f"0 {LEFT}".encode(), "classes.txt": b"crop"}
    with opened(tmp_path, files) as source:
        found = YoloSeg().read(source, IngestOptions(), ProblemLog())
        assert found is not None
        mask = rasterized(found.items[0], source)
    assert mask.shape == (WIDTH, HEIGHT)
    assert mask[:, : HEIGHT // 2].all()
    assert not mask[:, HEIGHT // 2 :].any()


def test_an_image_without_labels_is_background(tmp_path: Path) -> None:
    files = TestYoloSeg().files()
    del files["train/labels/b.txt"]
    found, problems = read(tmp_path, files)
    assert found is not None
    assert {last_part(item) for item in found.items} == {"a", "b", "c"}
    assert problems == [("warning", "image_without_labels")]


@pytest.mark.parametrize(
    ("names", "problems"),
    [
        (b"names: [crop, weed]\nnc: 2", []),
        (b"names: [crop, weed]\nnc: 3", [("warning", "names_count")]),
        (b"names: [crop]", [("error", "unknown_class")]),
        (b"nothing: 1", [("warning", "class_names_missing")]),
        (b"names: [[1], {}]", [("error", "names_broken"), ("warning", "class_names_missing")]),
        (b"names: [\x00", [("error", "yaml_broken"), ("warning", "class_names_missing")]),
        (b"a: &a [x]\nb: [*a, *a]", [("error", "yaml_broken"), ("warning", "class_names_missing")]),
        (b"names: " + b"[" * 5000, [("error", "yaml_broken"), ("warning", "class_names_missing")]),
        (
            b"!!python/object/apply:os.system [x]",
            [("error", "yaml_broken"), ("warning", "class_names_missing")],
        ),
    ],
)
def test_names(tmp_path: Path, names: bytes, problems: list[tuple[str, str]]) -> None:
    assert read(tmp_path, TestYoloSeg().files() | {"data.yaml": names})[1] == problems


def test_images_alone_lack_labels_and_no_names(tmp_path: Path) -> None:
    images = {name: data for name, data in TestYoloSeg().files().items() if name.endswith((".png", ".jpg"))}
    assert images
    assert read(tmp_path, images)[1] == [("error", "no_pairs")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("0 0.1 0.2 0.3 0.4 0.5", "labels_broken"),
        ("0 0.1 0.2 0.3 0.4 0.5 nan", "labels_broken"),
        ("0 10 20 30 40 50 60", "labels_broken"),
        ("crop 0.1 0.2 0.3 0.4 0.5 0.6", "labels_broken"),
        ("-1 0.1 0.2 0.3 0.4 0.5 0.6", "labels_broken"),
        ("0", "labels_broken"),
    ],
)
def test_broken_lines(line: str, code: str) -> None:
    with pytest.raises(Refused, match="Line 2") as refusal:
        parse_labels(f"0 {LEFT}\n{line}\n")
    assert refusal.value.problem_code == code


@DRAWN
@given(st.text(alphabet="0123456789.- \nexnaf\t²", max_size=60))
def test_no_text_crashes(text: str) -> None:
    is_label_text(text)
    try:
        labels = parse_labels(text)
    except Refused:
        return
    assert all(len(label.ring) >= 3 for label in labels)
