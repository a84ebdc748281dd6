"""LabelMe 3 XML: the family's demands, masks as pictures, and XML that nobody should trust."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, Real, folder_files, left_half, picture
from tests.ingest.formats.junk import DRAWN, Outcome, outcome, scribbled, survives
from tests.ingest.made import encoded
from workers.ingest.formats.tools.cvat import Cvat
from workers.ingest.formats.tools.labelme3 import LabelMe3

LEFT = ((0, 0), (WIDTH / 2, 0), (WIDTH / 2, HEIGHT), (0, HEIGHT))


def polygon(name: str, corners: tuple[tuple[float, float], ...] = LEFT, deleted: int = 0) -> str:
    points = "".join(f"<pt><x>\n{x}\n</x><y>{y}</y></pt>" for x, y in corners)
    drawn = f"<polygon><username>me</username>{points}</polygon>"
    return f"<object><name>\n{name}\n</name><deleted>{deleted}</deleted>{drawn}</object>"


def masked(name: str, file: str) -> str:
    return f"<object><name>{name}</name><segm><box/><mask>{file}</mask></segm></object>"


def document(
    filename: str, *objects: str, folder: str = "", size: tuple[int, int] = (WIDTH, HEIGHT)
) -> bytes:
    about = f"<filename>{filename}</filename><folder>{folder}</folder>"
    stated = f"<imagesize><nrows>{size[1]}</nrows><ncols>{size[0]}</ncols></imagesize>"
    return f"<annotation>{about}{stated}{''.join(objects)}</annotation>".encode()


def mask_picture() -> bytes:
    """As the tool saves it: what is opaque is the object."""
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    pixels[..., 3] = left_half(80)
    return encoded(pixels)


def of_one(folder: Path, *objects: str, **others: bytes) -> Outcome:
    """What is read of one image with these objects."""
    return outcome(LabelMe3(), folder, {"a.png": picture(), "a.xml": document("a.png", *objects)} | others)


class TestLabelMe3(FormatFamily):
    reader = LabelMe3()
    names: ClassVar = {0: "background", 1: "square", 2: "stripe"}
    masks: ClassVar = {"a": left_half(), "b": left_half(2), "c": np.zeros((HEIGHT, WIDTH), np.uint8)}
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    image = "Images/train/b.png"
    annotation = "Annotations/train/a.xml"
    real = (
        Real(
            folder="formats/labelme3_xml",
            items=4,
            shares={"bird": 5.87, "ellipse": 1.83, "strawberry": 0.81, "triangle": 0.70},
        ),
        Real(
            folder="formats/datumaro_tiny/labelme_dataset",
            items=1,
            shares={"window": 0.08, "o1": 2.5, "q1": 1.1, "m1": 1.5},
        ),
    )

    def files(self) -> dict[str, bytes]:
        return {
            "Annotations/train/a.xml": document("a.png", polygon("square"), folder="train"),
            "Annotations/train/b.xml": document("b.png", masked("stripe", "b_mask_0.png"), folder="train"),
            "Annotations/val/c.xml": document("c.png", folder="val"),
            "Images/train/a.png": picture(0),
            "Images/train/b.png": picture(1),
            "Images/val/c.png": picture(2),
            "Masks/train/b_mask_0.png": mask_picture(),
            "Scribbles/train/b_scribble_0.png": picture(3),
        }


def test_objects_marked_as_deleted_are_left_out(tmp_path: Path) -> None:
    result = of_one(tmp_path, polygon("x"), polygon("y", deleted=1))
    assert result.problems == []
    assert result.found is not None
    assert result.found.names == {0: "background", 1: "x"}


def test_lines_and_points_are_drawn(tmp_path: Path) -> None:
    result = of_one(tmp_path, polygon("x", ((0, 0), (8, 6))))
    assert np.count_nonzero(result.mask) == HEIGHT * WIDTH
    assert result.problems == [("warning", "line_drawn")]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (masked("x", "absent.png"), "mask_missing"),
        (masked("x", "small.png"), "bitmap_broken"),
        ("<object><name>x</name></object>", "shape_unread"),
        (polygon(""), "annotation_broken"),
        (polygon("x", ((0, 0), (1, 1), (float("nan"), 3))), "annotation_broken"),
    ],
)
def test_a_broken_object_is_left_out_and_named(tmp_path: Path, wrong: str, code: str) -> None:
    small = {"Masks/small.png": encoded(np.ones((2, 2), np.uint8))}
    result = of_one(tmp_path, polygon("x"), wrong, **small)
    assert result.problems == [("warning", code)]
    assert "a.xml: Left out: object 2" in result.messages
    assert np.array_equal(result.mask, left_half())


def test_entities_are_refused(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>' + document("a.png", polygon("&y;"))
    result = outcome(LabelMe3(), tmp_path, {"a.png": picture(), "a.xml": bomb})
    assert ("error", "annotation_xml") in result.problems


@DRAWN
@given(scribbled(document("a.png", polygon("x"), masked("y", "a_mask_1.png"))))
def test_scribbled_files_never_crash(data: bytes) -> None:
    files = {"a.xml": data, "a.png": picture(), "Masks/a_mask_1.png": mask_picture()}
    survives(LabelMe3(), files)


def test_the_real_photos_agree_with_their_other_format(shared_data: Path, tmp_path: Path) -> None:
    """LabelMe 3 has no lines; ellipses were exported as masks."""
    folders = {LabelMe3(): "labelme3_xml", Cvat(): "cvat_xml"}
    labelme, cvat = (
        outcome(reader, tmp_path, folder_files(shared_data / "formats" / folder))
        for reader, folder in folders.items()
    )
    assert labelme.problems == []
    assert labelme.pixels("birds")["bird"] == pytest.approx(cvat.pixels("birds")["bird"], rel=0.001)
    for name in ("rectangle", "triangle", "ellipse"):
        assert labelme.pixels("shapes")[name] == pytest.approx(cvat.pixels("shapes")[name], rel=0.02), name
