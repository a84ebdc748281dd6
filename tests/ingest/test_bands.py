"""TIFFs and PNGs of any depth and number of bands are read exactly, and what is left out is named."""

import tracemalloc
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded, mask
from tests.ingest.tiffs import png, tiff
from workers.ingest.pictures.decode import DecodedImage, decode, decode_image
from workers.ingest.problems import Refused

HEIGHT, WIDTH = 37, 53


def numbers(bands: int, dtype: Any = np.uint16, seed: int = 0) -> Array:
    chance = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return chance.normal(0, 50, (HEIGHT, WIDTH, bands)).astype(dtype)
    info = np.iinfo(dtype)
    return chance.integers(info.min, int(info.max) + 1, (HEIGHT, WIDTH, bands), dtype=dtype)


def notes(image: DecodedImage) -> dict[str, str]:
    return {note.code: note.message for note in image.notes}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"rows": 5},
        {"tile": 16},
        {"planar": True},
        {"planar": True, "tile": 16, "deflate": True},
        {"deflate": True, "predictor": 2, "rows": 9},
        {"big": True},
        {"big": True, "tile": 32, "deflate": True, "predictor": 2},
    ],
)
@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.uint32])
@pytest.mark.parametrize("bands", [1, 3, 13])
def test_every_form_of_tiff_is_read_exactly(order: str, form: dict[str, Any], dtype: Any, bands: int) -> None:
    pixels = numbers(bands, dtype)
    image = decode(tiff(pixels, order=order, **form))
    kept = 1 if bands == 1 else 3
    assert image.pixels.dtype == dtype
    assert np.array_equal(image.pixels, pixels[..., :kept])
    assert ("bands_dropped" in notes(image)) == (bands > kept)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", [{}, {"tile": 16}, {"predictor": 3, "deflate": True}, {"planar": True}])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_read_exactly(order: str, form: dict[str, Any], dtype: Any) -> None:
    pixels = numbers(3, dtype)
    assert np.array_equal(decode(tiff(pixels, order=order, **form)).pixels, pixels.astype(np.float32))


@pytest.mark.parametrize("packing", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_packings_of_libtiff(packing: str) -> None:
    pixels = numbers(1)[..., 0]
    assert np.array_equal(decode(encoded(pixels, "TIFF", compression=packing)).pixels[..., 0], pixels)


@pytest.mark.parametrize(
    ("bands", "photometric", "extra", "message"),
    [
        (2, 1, [0], "2 bands: band 1 is used, band 2 is left out"),
        (4, 2, [0], "4 bands: bands 1 to 3 are used, band 4 is left out"),
        (4, 1, [0, 0, 0], "4 bands: bands 1 to 3 are used, band 4 is left out"),
        (5, 2, [0, 0], "5 bands: bands 1 to 3 are used, bands 4 and 5 are left out"),
        (5, 2, [2, 0], "4 bands: bands 1 to 3 are used, band 4 is left out"),
        (6, 2, [0, 0, 0], "6 bands: bands 1 to 3 are used, bands 4 to 6 are left out"),
        (13, 1, [0] * 12, "13 bands: bands 1 to 3 are used, bands 4 to 13 are left out"),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("planar", [False, True])
def test_bands_that_are_left_out_are_named(
    bands: int, photometric: int, extra: list[int], message: str, dtype: Any, planar: bool
) -> None:
    pixels = numbers(bands, dtype)
    image = decode(tiff(pixels, photometric=photometric, extra=extra, planar=planar))
    assert message in notes(image)["bands_dropped"]
    kept = pixels[..., :1] if bands == 2 else pixels[..., :3]
    assert np.array_equal(image.pixels, np.repeat(kept, 3 // kept.shape[2], 2) if dtype == np.uint8 else kept)


@pytest.mark.parametrize(("alpha", "expected"), [(0xFFFF, set()), (0xFFFE, {"alpha_dropped"})])
@pytest.mark.parametrize("bands", [2, 4])
def test_alpha_of_deep_pictures(alpha: int, expected: set[str], bands: int) -> None:
    pixels = numbers(bands)
    pixels[..., -1] = alpha
    photometric = 2 if bands == 4 else 1
    for data in (tiff(pixels, photometric=photometric, extra=[2]), png(pixels)):
        image = decode(data)
        assert np.array_equal(image.pixels, pixels[..., :-1])
        assert set(notes(image)) == expected


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("orientation", [0, 3, 6])
def test_pngs_of_16_bits_keep_them(bands: int, orientation: int) -> None:
    pixels = numbers(bands)
    expected = pixels[..., : 1 if bands < 3 else 3]
    if orientation:
        expected = np.rot90(expected, {3: 2, 6: -1}[orientation])
    assert np.array_equal(decode(png(pixels, orientation=orientation)).pixels, expected)


def test_netpbm_of_16_bits() -> None:
    for bands, magic in ((1, b"P5"), (3, b"P6")):
        pixels = numbers(bands)
        data = magic + b"\n# made\n%d %d\n65535\n" % (WIDTH, HEIGHT) + pixels.astype(">u2").tobytes()
        assert np.array_equal(decode(data).pixels, pixels)
        with pytest.raises(Refused):
            decode(data[:-1])


def test_pages_behind_the_first_are_counted_but_no_smaller_copies() -> None:
    first, *others = (numbers(1, seed=seed)[..., 0] for seed in range(3))
    image = decode(tiff(first, pages=others))
    assert np.array_equal(image.pixels[..., 0], first)
    assert notes(image) == {"several_frames": "Only the first of 3 pages is used."}
    assert notes(decode(tiff(first, pages=others, more={254: [1]}))) == {}


def test_white_that_is_zero_is_turned() -> None:
    pixels = numbers(1)
    assert np.array_equal(decode(tiff(pixels, photometric=0)).pixels, 65535 - pixels)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tiff(numbers(4), photometric=5), "4 band.* 16 bits .*colour space 5"),
        (tiff(numbers(13), more={258: [16] * 12 + [8]}), "different bits"),
        (tiff(numbers(1), more={339: [6]}), "complex"),
        (tiff(numbers(5), more={259: [34712]}), "5 band.* 16 bits and compression 34712"),
    ],
)
def test_what_is_not_read_says_bands_and_bits(data: bytes, message: str) -> None:
    with pytest.raises(Refused, match=message):
        decode(data)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about what is broken in them
@pytest.mark.parametrize("form", [{}, {"tile": 16, "deflate": True}, {"planar": True, "rows": 4}])
def test_damaged_tiffs_are_decoded_or_refused(form: dict[str, Any]) -> None:
    chance = np.random.default_rng(1)
    whole = tiff(numbers(5), **form)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        data[chance.integers(0, 8) if chance.random() < 0.1 else -chance.integers(1, 400)] = chance.integers(
            256
        )
        try:
            decode_image(bytes(data[: len(data) - int(chance.integers(0, 2) * chance.integers(0, 200))]))
        except Refused:
            refused += 1
    assert 0 < refused < 300


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about what is broken in them
@pytest.mark.parametrize("kind", ["png", "pgm", "jp2", "floats", "big"])
def test_damaged_deep_pictures_are_decoded_or_refused(kind: str) -> None:
    chance = np.random.default_rng(2)
    pixels = numbers(3)
    whole = {
        "png": png(pixels),
        "pgm": b"P6 %d %d 4095\n" % (WIDTH, HEIGHT) + pixels.tobytes(),
        "jp2": cv2.imencode(".jp2", np.tile(pixels, (2, 2, 1)))[1].tobytes(),
        "floats": tiff(numbers(3, np.float32), predictor=3, deflate=True),
        "big": tiff(pixels, big=True, order=">", tile=16),
    }[kind]
    refused = 0
    for _ in range(200):
        data = bytearray(whole)
        place = chance.integers(0, 80) if chance.random() < 0.5 else chance.integers(len(data))
        data[place] = chance.integers(256)
        try:
            decode_image(bytes(data))
        except Refused:
            refused += 1
    assert 0 < refused < 200


@pytest.mark.parametrize(
    "tags", [{277: [2**32 - 1]}, {278: [2**32 - 1]}, {322: [2**31], 323: [2**31]}, {258: [2**31] * 5}]
)
@pytest.mark.parametrize("form", [{}, {"planar": True}, {"deflate": True}])
def test_hostile_numbers_of_a_tiff_take_no_memory(tags: dict[int, Any], form: dict[str, Any]) -> None:
    tracemalloc.start()
    try:
        decode(tiff(numbers(5), more=tags, **form))
    except Refused:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 10 << 20


@pytest.mark.parametrize("side", [2**31 - 1, 60_000])
def test_a_hostile_header_is_refused_before_pixels(side: int) -> None:
    for data in (tiff(numbers(5), more={256: [side], 257: [side]}), tiff(numbers(1), more={256: [side]})):
        with pytest.raises(Refused):
            decode(data)
    png_header = bytearray(png(numbers(3)))
    png_header[16:24] = side.to_bytes(4, "big") * 2
    for max_side in (None, 100):
        with pytest.raises(Refused):
            decode(bytes(png_header), max_side=max_side)


def test_bands_dropped_is_said_of_a_set(bench: Bench) -> None:
    files = {}
    for index in range(3):
        files[f"images/{index}.tif"] = tiff(numbers(4, np.uint8, index), extra=[0])
        files[f"masks/{index}.png"] = encoded(mask(0, 1, height=HEIGHT, width=WIDTH))
    result = bench.run(files)
    assert "bands_dropped" in codes(result, "warning")
    image, _ = bench.arrays()["0"]
    assert np.array_equal(image, numbers(4, np.uint8, 0)[..., :3])


def test_ordinary_tiffs_are_left_as_they_were() -> None:
    rgb = numbers(3, np.uint8)
    image = Image.fromarray(rgb)
    image.putalpha(200)
    assert notes(decode(encoded(image, "TIFF"))).keys() == {"alpha_dropped"}
    assert np.array_equal(decode(tiff(rgb)).pixels, rgb)
    assert notes(decode(tiff(rgb))) == {}
