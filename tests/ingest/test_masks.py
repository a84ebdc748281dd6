"""Mask files of every kind give the values they store, or are refused."""

import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import SIDE, Bench, drawn, encoded, mask, photo
from workers.ingest.pictures.mask_files import decode_mask
from workers.ingest.problems import Refused

VALUES = mask(0, 3, 255)


def palette(values: np.ndarray) -> Image.Image:
    image = Image.frombytes("P", values.shape[::-1], values.tobytes())
    image.putpalette([c for index in range(256) for c in (255 - index, index * 7 % 256, 9)])
    return image


@pytest.mark.parametrize(
    "data",
    [
        encoded(VALUES),
        encoded(VALUES, "BMP"),
        encoded(VALUES, "TIFF"),
        encoded(palette(VALUES)),
        encoded(VALUES.astype(np.uint16)),
        encoded(VALUES.astype(np.int32), "TIFF"),
        encoded(VALUES.astype(np.float32), "TIFF"),
        encoded(np.dstack([VALUES] * 3)),
        encoded(np.dstack([VALUES] * 3 + [np.full_like(VALUES, 9)])),
        encoded(np.dstack([VALUES, np.full_like(VALUES, 9)])),
    ],
    ids=["L", "bmp", "tiff", "palette", "16-bit", "32-bit", "float", "rgb", "rgba", "la"],
)
def test_values_are_read_as_stored(data: bytes) -> None:
    values = decode_mask(data)
    assert values.dtype == np.uint8
    assert np.array_equal(values, VALUES)


@pytest.mark.parametrize("white", [1, 255])
def test_one_bit_masks_have_the_white_asked_for(white: int) -> None:
    data = encoded(Image.fromarray(mask(0, 1).astype(bool)))
    assert np.array_equal(decode_mask(data, white), mask(0, white))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encoded(mask(0, 0, 0, 128, 128, 255, height=96, width=64), "JPEG"), "mask_jpeg"),
        (encoded(mask(0, 3, height=96, width=64), "JPEG"), "mask_jpeg"),
        (encoded(np.dstack([VALUES, VALUES, VALUES.T.reshape(VALUES.shape)])), "mask_color"),
        (encoded(mask(0, 256, dtype=np.uint16)), "mask_values_range"),
        (encoded(mask(0, -1, dtype=np.int32), "TIFF"), "mask_values_range"),
        (encoded(np.full((6, 8), 0.5, np.float32), "TIFF"), "mask_values_range"),
        (encoded(np.full((6, 8), np.nan, np.float32), "TIFF"), "mask_values_range"),
        (b"no picture", "image_unknown"),
    ],
)
def test_masks_without_class_values_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        decode_mask(data)
    assert refusal.value.problem_code == code


def test_values_of_8_bits_spread_over_16_are_as_they_were() -> None:
    assert np.array_equal(decode_mask(encoded(VALUES.astype(np.uint16) * 257)), VALUES)


def levels_and_discs(*levels: int) -> np.ndarray:
    """Black, with a small disc of each level."""
    y, x = np.mgrid[:120, :160]
    drawn = np.zeros((120, 160), np.uint8)
    for place, level in enumerate(levels):
        drawn[(y - 60) ** 2 + (x - 20 - 35 * place) ** 2 < 81] = level
    return drawn


@pytest.mark.parametrize("levels", [(85, 170, 255), (128, 255), (255, 100), (255, 255, 255, 190)])
@pytest.mark.parametrize("quality", [70, 95])
def test_small_areas_of_grey_in_a_jpeg_are_not_parted_into_black_and_white(
    levels: tuple[int, ...], quality: int
) -> None:
    with pytest.raises(Refused) as refused:
        decode_mask(encoded(levels_and_discs(*levels), "JPEG", quality=quality))
    assert refused.value.problem_code == "mask_jpeg"


@pytest.mark.parametrize("quality", [30, 70, 95])
def test_edges_in_a_jpeg_are_parted_into_black_and_white(quality: int) -> None:
    drawn = levels_and_discs(255, 255, 255)
    read = decode_mask(encoded(drawn, "JPEG", quality=quality))
    assert set(np.unique(read)) == {0, 255}
    assert (read != drawn).mean() < 0.005


@pytest.mark.parametrize("kind", ["TIFF", "GIF"])
def test_pages_of_masks_that_are_not_read_are_told(bench: Bench, kind: str) -> None:
    files = {}
    for number in range(4):
        pages = [Image.fromarray(drawn(number + page, 255)) for page in range(3)]
        stacked = encoded(pages[0], kind, save_all=True, append_images=pages[1:])
        files[f"images/{number}.png"] = encoded(photo(number, SIDE, SIDE))
        files[f"masks/{number}.{kind.casefold()}"] = stacked if number else encoded(pages[0], kind)
    result = bench.run(files)
    assert result.summary is not None, result.problems
    [problem] = result.problems
    assert (problem.code, problem.message[:2]) == ("mask_pages", "3 ")
    assert (bench.arrays()["2"][1] > 0).sum() == (drawn(2, 1) > 0).sum()
