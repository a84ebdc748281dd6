"""Tables of boxes: the family's demands; `tests/ingest/test_box_tables.py` has their forms."""

from tests.ingest.formats.family import HEIGHT, WIDTH, BoxFamily, picture
from workers.ingest.formats.boxes.table import BoxTable

HEAD = "filename,width,height,class,xmin,ymin,xmax,ymax"


class TestBoxTable(BoxFamily):
    reader = BoxTable()
    annotation = "train/boxes.csv"

    def files(self) -> dict[str, bytes]:
        """Beside the images, by split; a row without a box is an image without objects."""
        size = f"{WIDTH},{HEIGHT}"
        train = (HEAD, f"a.jpg,{size},cat,0,0,{WIDTH // 2},{HEIGHT}", f"b.jpg,{size},,,,,")
        val = (HEAD, f"c.jpg,{size},dog,0,0,{WIDTH},{HEIGHT}")
        return {
            "train/a.jpg": picture(0),
            "train/b.jpg": picture(1),
            "train/boxes.csv": "\n".join(train).encode(),
            "val/c.jpg": picture(2),
            "val/boxes.csv": "\n".join(val).encode(),
        }
