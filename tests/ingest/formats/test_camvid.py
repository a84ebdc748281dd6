"""CamVid: masks of colours and the table that names them."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, left_half, picture
from tests.ingest.made import Array, Bench, encoded
from tests.ingest.scenes import classes, names_of, photo_of
from workers.ingest.classes.color_table import parse_colors
from workers.ingest.formats.folders.camvid import Camvid
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


NAMES = ("road", "sky", "tree")
TABLE = np.array([(128, 64, 128), (128, 128, 128), (0, 128, 0)], np.uint8)
LISTED = b"128 64 128 road\n128 128 128 sky\n0 128 0 tree\n"


def camvid_set(draw: Callable[[Array], bytes], ending: str = "png") -> dict[str, bytes]:
    """A set whose masks have the values 0 to 2, road being what is no object."""
    files = {"label_colors.txt": LISTED}
    for number in range(6):
        mask = classes((1, 2), 3, number)
        files[f"701/{number}.png"] = encoded(photo_of(mask, number))
        files[f"701/{number}_L.{ending}"] = draw(mask)
    return files


def in_palette(mask: Array) -> bytes:
    """A palette picture whose indices are in another order than the table."""
    image = Image.frombytes("P", mask.shape[::-1], (9 - mask).astype(np.uint8).tobytes())
    image.putpalette([0] * 21 + [part for color in TABLE[::-1] for part in color.tolist()])
    return encoded(image)


WAYS: dict[str, tuple[Callable[[Array], bytes], str]] = {
    "rgb": (lambda mask: encoded(TABLE[mask]), "png"),
    "rgba": (lambda mask: encoded(np.dstack([TABLE[mask], np.full_like(mask, 255)])), "png"),
    "palette": (in_palette, "png"),
    "jpeg": (lambda mask: encoded(TABLE[mask], "JPEG", quality=95, subsampling=0), "jpg"),
    "indices": (encoded, "png"),
    "grey rgb": (lambda mask: encoded(np.dstack([mask] * 3)), "png"),
}


@pytest.mark.parametrize("way", WAYS)
def test_masks_are_read_as_they_are_seen(bench: Bench, way: str) -> None:
    result = bench.run(camvid_set(*WAYS[way]))
    assert result.summary is not None
    assert result.summary.reading is not None
    assert result.summary.reading.format == "camvid"
    assert tuple(names_of(result).values()) == NAMES
    for name, (_, mask) in bench.arrays().items():
        assert np.mean(mask == classes((1, 2), 3, int(name[-1]))) > 0.97
