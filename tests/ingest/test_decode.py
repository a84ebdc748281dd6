"""Pictures of every kind become RGB as displayed, or are refused."""

import random
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.ingest.made import encoded, mask, photo
from workers.ingest.pictures import decode
from workers.ingest.pictures.decode import DecodedImage, decode_image
from workers.ingest.pictures.mask_files import decode_mask
from workers.ingest.pictures.mask_fit import fit_mask
from workers.ingest.problems import Refused

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


def notes(image: DecodedImage) -> list[str]:
    return [note.code for note in image.notes]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_rgb_is_read_exactly(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(decode_image(encoded(photo(), kind, **options)).pixels, photo())


def test_grey_and_16_bit_are_scaled_alike() -> None:
    wide = GREY.astype(np.uint16) * 257
    for data in (
        encoded(GREY),
        encoded(wide),
        encoded(wide, "TIFF"),
        encoded(np.float32(GREY / 255), "TIFF"),
    ):
        image = decode_image(data)
        assert np.array_equal(image.pixels, np.dstack([GREY] * 3))
        assert image.notes == ()


@pytest.mark.parametrize(("alpha", "expected"), [(255, []), (254, ["alpha_dropped"])])
def test_alpha_is_dropped_and_noted_unless_opaque(alpha: int, expected: list[str]) -> None:
    image = Image.fromarray(photo())
    image.putalpha(alpha)
    decoded = decode_image(encoded(image))
    assert np.array_equal(decoded.pixels, photo())
    assert notes(decoded) == expected
    grey = Image.fromarray(GREY)
    grey.putalpha(alpha)
    assert notes(decode_image(encoded(grey))) == expected


def test_palette_and_one_bit_images() -> None:
    palette = Image.fromarray(GREY).convert("P")
    palette.putpalette([c for index in range(256) for c in (index, 255 - index, 7)])
    expected = np.dstack([GREY, 255 - GREY, np.full_like(GREY, 7)])
    assert np.array_equal(decode_image(encoded(palette)).pixels, expected)
    one_bit = Image.fromarray(GREY > 100)
    assert set(np.unique(decode_image(encoded(one_bit)).pixels)) == {0, 255}


def test_cmyk_is_converted() -> None:
    image = Image.new("CMYK", (8, 6), (0, 255, 255, 0))
    assert decode_image(encoded(image, "TIFF")).pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_orientation_is_applied_to_image_and_mask(orientation: int, kind: str) -> None:
    stored = np.kron(GREY, np.ones((8, 8), np.uint8))  # blocks of the size that JPEG keeps apart
    data = encoded(np.dstack([stored] * 3), kind, orientation)
    image = decode_image(data)
    displayed = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB"))
    assert np.array_equal(image.pixels, displayed)
    upright = fit_mask(np.ascontiguousarray(displayed[..., 0]), image)
    assert np.array_equal(upright, displayed[..., 0])
    if orientation >= 5:
        assert np.abs(fit_mask(stored, image).astype(int) - displayed[..., 0]).max() <= 3
    assert notes(image) == (["orientation_ambiguous"] if orientation in (2, 3, 4) else [])


@pytest.mark.parametrize("orientation", [9, 255])
def test_an_illegal_orientation_is_upright(orientation: int) -> None:
    assert np.array_equal(decode_image(encoded(photo(), "PNG", orientation)).pixels, photo())


def test_a_mask_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(Refused, match=r"4x3 .* 8x6 ") as refusal:
        fit_mask(mask(0, 1, height=3, width=4), decode_image(encoded(photo())))
    assert refusal.value.problem_code == "mask_size"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_truncated_pictures_are_refused(kind: str) -> None:
    data = encoded(Image.fromarray(photo(height=64, width=64)), kind)
    with pytest.raises(Refused) as refusal:
        decode_image(data[: len(data) // 2])
    assert refusal.value.problem_code == "image_broken"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image_unknown"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image_unknown"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "image_heic"),
    ],
)
def test_other_files_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        decode_image(data)
    assert refusal.value.problem_code == code


def test_pictures_with_too_many_pixels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_PIXELS", 47)
    with pytest.raises(Refused, match="8x6") as refusal:
        decode_image(encoded(photo()))
    assert refusal.value.problem_code == "image_too_large"


def test_several_frames_are_noted() -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    image = decode_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert np.array_equal(image.pixels[..., 0], GREY)
    assert notes(image) == ["several_frames"]


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about what is broken in them
def test_damaged_pictures_are_decoded_or_refused(shared_data: Path) -> None:
    """Bytes changed at random in real files: anything but Refused fails the test."""
    chance = random.Random(3)
    files = sorted((shared_data / "nasty" / "real").rglob("*.*"))
    small = [path.read_bytes() for path in files if path.stat().st_size < 30_000]
    refused = 0
    for _ in range(400):
        data = bytearray(chance.choice(small))
        for _ in range(chance.choice((1, 3, 10))):
            data[int(chance.expovariate(1 / 300)) % len(data)] = chance.choice(
                (0, 255, chance.randrange(256))
            )
        for read in (decode_image, decode_mask):
            try:
                read(bytes(data))
            except Refused:
                refused += 1
    assert 0 < refused < 800
