"""Boxes in Pascal VOC's XML: the family's demands; `tests/ingest/test_boxes.py` has what is odd of boxes."""

from tests.ingest.formats.family import HEIGHT, WIDTH, BoxFamily, picture
from workers.ingest.formats.voc.boxes import VocBoxes


def xml(name: str, *objects: tuple[str, tuple[int, int, int, int]]) -> bytes:
    drawn = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax>"
        f"<ymax>{bottom}</ymax></bndbox></object>"
        for label, (left, top, right, bottom) in objects
    )
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}</filename>{size}{drawn}</annotation>".encode()


class TestVocBoxes(BoxFamily):
    reader = VocBoxes()
    annotation = "train/a.xml"

    def files(self) -> dict[str, bytes]:
        """Beside the images, by split."""
        return {
            "train/a.jpg": picture(0),
            "train/a.xml": xml("a.jpg", ("cat", (1, 1, WIDTH // 2, HEIGHT))),
            "train/b.jpg": picture(1),
            "train/b.xml": xml("b.jpg"),
            "val/c.jpg": picture(2),
            "val/c.xml": xml("c.jpg", ("dog", (1, 1, WIDTH, HEIGHT))),
        }
