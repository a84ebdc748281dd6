"""Where OpenCV reads a picture, it reads what Pillow does; and what Pillow refuses, it never gets."""

import io
import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import encoded, mask, photo
from workers.ingest.pictures.decode import load, open_header, rgb_pixels
from workers.ingest.pictures.opencv_safe import is_plain
from workers.ingest.problems import Refused

SMOOTH = cv2.GaussianBlur(photo(1, 48, 64), (9, 9), 0)


def as_pillow_does(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(
    "data",
    [
        encoded(SMOOTH, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive)
        for quality in (60, 95)
        for subsampling in (0, 1, 2)
        for progressive in (False, True)
    ]
    + [encoded(SMOOTH[..., 0], "JPEG"), encoded(SMOOTH), encoded(SMOOTH[..., 0]), encoded(SMOOTH, "JPEG", 6)],
)
def test_plain_pictures_are_read_alike(data: bytes) -> None:
    loaded = load(data, cv2.IMREAD_COLOR_RGB)
    assert loaded.fast is not None
    assert np.array_equal(rgb_pixels(loaded), as_pillow_does(data))


def test_the_photos_of_a_real_set_are_read_alike(shared_data: Path) -> None:
    files = [*sorted((shared_data / "camvid/val/images").iterdir())[:5]]
    files += sorted((shared_data / "pets/images").iterdir())[:20]
    quick = 0
    for path in files:
        loaded = load(path.read_bytes(), cv2.IMREAD_COLOR_RGB)
        quick += loaded.fast is not None
        assert np.array_equal(rgb_pixels(loaded), as_pillow_does(path.read_bytes()))
    assert quick >= 20


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(photo()).convert("RGBA"),
        Image.fromarray(photo()).quantize(8),
        Image.fromarray(mask(0, 1).astype(bool)),
        Image.fromarray(mask(0, 1, dtype=np.uint16)),
    ],
)
def test_other_pngs_are_left_to_pillow(image: Image.Image) -> None:
    data = encoded(image)
    assert not is_plain(open_header(data), data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_cut_off_anywhere_is_refused(kind: str) -> None:
    data = encoded(SMOOTH, kind)
    for kept in range(len(data) // 2, len(data) - 4, 37):
        with pytest.raises(Refused):
            load(data[:kept], cv2.IMREAD_COLOR_RGB)


def test_a_png_with_a_wrong_check_sum_or_an_odd_chunk_is_left_to_pillow() -> None:
    data = encoded(SMOOTH)
    at = data.index(b"IDAT") + 10
    assert not is_plain(open_header(data), data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    body = b"tEXtComment\0hello"
    chunk = struct.pack(">L", len(body) - 4) + body + struct.pack(">L", zlib.crc32(body))
    assert not is_plain(open_header(data), data[:33] + chunk + data[33:])


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about what is broken
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_damaged_pictures_are_read_alike_or_refused(kind: str) -> None:
    """Bytes changed at random: where OpenCV gives pixels, Pillow gives the same."""
    chance = random.Random(5)
    whole = encoded(SMOOTH, kind)
    quick = 0
    for _ in range(300):
        data = bytearray(whole)
        data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            loaded = load(bytes(data), cv2.IMREAD_COLOR_RGB)
        except Refused:
            continue
        if loaded.fast is not None:
            quick += 1
            assert np.array_equal(loaded.fast, as_pillow_does(bytes(data)))
    assert kind == "PNG" or quick > 50
