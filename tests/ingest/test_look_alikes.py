"""Images held out that look the same as images that train are said, whatever their files."""

import cv2
import numpy as np
import pytest

from tests.ingest.layouts.scenes import scene
from tests.ingest.made import Array, Bench, codes, encoded, mask
from workers.ingest.pictures.sketch import sketch
from workers.ingest.problems import ProblemLog
from workers.ingest.splits.look_alikes import warn_of_look_alikes

SIZE = (160, 120)


def seen(number: int) -> Array:
    return scene(number, SIZE, (1, 1, 1)).photo


def smaller(image: Array) -> Array:
    return np.asarray(cv2.resize(image, (96, 72), interpolation=cv2.INTER_AREA))


AGAIN = {
    "in another compression": lambda image: encoded(image, compress_level=0),
    "as JPEG": lambda image: encoded(image, "JPEG", quality=70),
    "in another format": lambda image: encoded(image, "BMP"),
    "smaller": lambda image: encoded(smaller(image)),
    "with other notes": lambda image: encoded(image, orientation=1),
}


def parted(held: dict[str, tuple[bytes, Array]]) -> dict[str, bytes]:
    files = {}
    for number in range(6):
        files[f"train/images/{number}.png"] = encoded(seen(number))
        files[f"train/masks/{number}.png"] = encoded(mask(0, 1, height=SIZE[1], width=SIZE[0]))
    for name, (data, labels) in held.items():
        files[f"test/images/{name}.png"] = data
        files[f"test/masks/{name}.png"] = encoded(labels)
    return files


@pytest.mark.parametrize("name", AGAIN)
def test_what_is_held_out_and_trains_too_is_said(bench: Bench, name: str) -> None:
    data = AGAIN[name](seen(3))
    width, height = (96, 72) if name == "smaller" else SIZE
    other = (encoded(seen(40)), mask(0, 1, height=SIZE[1], width=SIZE[0]))
    result = bench.run(parted({"again": (data, mask(0, 1, height=height, width=width)), "other": other}))
    assert sorted(codes(result, "warning")) == ["images_alike_in_splits", "val_drawn"]
    [alike] = [one for one in result.problems if one.code == "images_alike_in_splits"]
    assert alike.file == "test/images/again.png"
    assert "train/images/3.png" in alike.message


def test_of_many_different_images_none_is_said() -> None:
    sketches = {str(number): sketch(seen(number)) for number in range(300)}
    splits = {name: ("train", "val", "test")[int(name) % 3] for name in sketches}
    log = ProblemLog()
    warn_of_look_alikes(sketches, splits, log)
    assert log.problems() == ()


def test_blank_images_tell_nothing() -> None:
    blank = sketch(np.full((40, 60, 3), 255, np.uint8))
    log = ProblemLog()
    warn_of_look_alikes({"a": blank, "b": blank, "c": b""}, {"a": "train", "b": "test", "c": "test"}, log)
    assert log.problems() == ()
