"""CamVid: masks of colours and the table that names them."""

from typing import ClassVar

import numpy as np
import pytest

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, left_half, picture
from tests.ingest.made import Array, encoded
from workers.ingest.formats.camvid import Camvid
from workers.ingest.formats.color_table import parse_colors
from workers.ingest.problems import Refused

COLORS = np.array([(128, 64, 128), (64, 0, 128)], np.uint8)


def colored(mask: Array) -> bytes:
    """The mask in COLORS, what is 255 black."""
    table = np.zeros((256, 3), np.uint8)
    table[:2] = COLORS
    return encoded(table[mask])


class TestCamvid(FormatFamily):
    reader = Camvid()
    names: ClassVar = {0: "Road", 1: "Car"}
    masks: ClassVar = {
        "01": left_half(1, 0),
        "02": np.zeros((HEIGHT, WIDTH), np.uint8),
        "03": left_half(255, 1),
    }
    splits: ClassVar = {"01": "train", "02": "train", "03": "val"}
    image = "val/03.png"
    annotation = "label_colors.txt"

    def files(self) -> dict[str, bytes]:
        files = {"label_colors.txt": b"128 64 128\tRoad\n64 0 128\t\tCar\n0 0 0\tVoid\n"}
        for name, mask in self.masks.items():
            files[f"{self.splits[name]}/{name}.png"] = picture(int(name))
            files[f"{self.splits[name]}_labels/{name}_L.png"] = colored(mask)
        return files

    def damaged(self) -> dict[str, bytes]:
        return super().damaged() | {"half": b"128 64 128\tRoad\n64 0 12"}


@pytest.mark.parametrize(
    "text",
    ["1 2 3 sky\n4 5 6 deep sea\n0 0 0 Void", "name,r,g,b\nsky,1,2,3\ndeep sea,4,5,6\nVoid,0,0,0\n"],
)
def test_tables_of_colours(text: str) -> None:
    names, table, _ = parse_colors(text)
    assert names == {0: "sky", 1: "deep sea"}
    assert table == {(1, 2, 3): 0, (4, 5, 6): 1, (0, 0, 0): 255}


@pytest.mark.parametrize(
    "text",
    ["", "no colours", "1 2 300 sky", "1 2 3 sky\n1 2 3 sea", "1 2 3 sky\nodd", "0 0 0 Void"],
)
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_colors(text)
    assert refusal.value.problem_code == "colors_broken"
