"""Images of more than 8 bits are scaled by the range of their set, and it is said how."""

import base64
import io
import json
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded, folders, mask, photo
from tests.ingest.tiffs import png, tiff
from trainyard.datasets.record import Problem
from workers.ingest.pictures.decode import decode_image
from workers.ingest.pictures.depth import full_scale
from workers.ingest.pipeline import IngestResult
from workers.prepared.version import DepthScale

HEIGHT, WIDTH = 48, 64


def smooth(highest: float, seed: int = 0, bands: int = 1, lowest: float = 0.0) -> Array:
    """A picture from `lowest` to about `highest` with structure, (H, W, bands) floats."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = [
        np.sin(x / 9 + chance.uniform(0, 6)) * np.cos(y / 7 + chance.uniform(0, 6)) for _ in range(bands)
    ]
    return lowest + (highest - lowest) * (np.dstack(waves) + 1) / 2


def uploaded(images: Sequence[bytes], ending: str = "png") -> dict[str, bytes]:
    files = {f"images/{index}.{ending}": data for index, data in enumerate(images)}
    label = encoded(mask(0, 1, height=HEIGHT, width=WIDTH))
    return files | {f"masks/{index}.png": label for index in range(len(images))}


def warning(result: IngestResult, code: str) -> Problem:
    (one,) = [problem for problem in result.problems if problem.code == code]
    assert one.severity == "warning"
    return one


def pgm(pixels: Array) -> bytes:
    return b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) + pixels.astype(">u2").tobytes()


CONTAINERS = {
    "png": lambda pixels: png(pixels),
    "pillow.png": lambda pixels: encoded(pixels[..., 0]),
    "tif": lambda pixels: tiff(pixels),
    "motorola.tif": lambda pixels: tiff(pixels, order=">", tile=16, deflate=True),
    "signed.tif": lambda pixels: tiff(pixels.astype(np.int16)),
    "unsigned32.tif": lambda pixels: tiff(pixels.astype(np.uint32)),
    "signed32.tif": lambda pixels: tiff(pixels.astype(np.int32)),
    "pgm": pgm,
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("highest", "end"), [(4080, 4095), (9900, 10000), (1000, 1023), (30000, 32767)])
def test_grey_is_scaled_by_the_range_of_the_set(bench: Bench, container: str, highest: int, end: int) -> None:
    """The darkest image stays as dark beside the others as it was."""
    pixels = [smooth(highest / (index + 1), index).astype(np.uint16) for index in range(4)]
    ending = container.rpartition(".")[2]
    result = bench.run(uploaded([CONTAINERS[container](one) for one in pixels], ending))
    assert codes(result, "warning").count("depth_scaled") == 1
    found = warning(result, "depth_scaled")
    assert f"0..{end} became 0..255" in found.message
    assert "4 image(s)" in found.message
    for index, one in enumerate(pixels):
        image, _ = bench.arrays()[str(index)]
        assert np.array_equal(image, np.repeat(np.rint(one * (255 / end)), 3, axis=2))
    assert result.summary is not None
    assert max(result.summary.mean) > 0.1


@pytest.mark.parametrize("write", [png, tiff, lambda pixels: tiff(pixels, planar=True, order=">")])
def test_colors_of_small_values_are_no_black(bench: Bench, write: Any) -> None:
    pixels = [smooth(4000, index, 3).astype(np.uint16) for index in range(3)]
    result = bench.run(uploaded([write(one) for one in pixels], "tif"))
    assert "colours" in warning(result, "depth_scaled").message
    for index, one in enumerate(pixels):
        assert np.array_equal(bench.arrays()[str(index)][0], np.rint(one * (255 / 4095)))


def test_each_channel_has_its_own_range(bench: Bench) -> None:
    pixels = [(smooth(1, index, 3) * [1000, 4000, 60000]).astype(np.uint16) for index in range(3)]
    message = warning(bench.run(uploaded([png(one) for one in pixels])), "depth_scaled").message
    for told in ("red values", "0..1023 became", "green values", "0..4095", "blue values", "0..65535"):
        assert told in message


@pytest.mark.parametrize(
    ("lowest", "highest", "low", "high"),
    [
        (0, 1, 0, 1),
        (0, 0.9, 0, 1),
        (0, 0.3, 0, None),
        (0, 250, 0, 255),
        (0, 8000, 0, None),
        (-20, 40, None, None),
        (280, 300, None, None),
        (5e4, 5.001e4, None, None),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_of_any_range(
    bench: Bench, lowest: float, highest: float, low: float | None, high: float | None, dtype: Any
) -> None:
    pixels = [smooth(highest, index, 1, lowest).astype(dtype) for index in range(3)]
    bench.run(uploaded([tiff(one) for one in pixels], "tif"))
    first = min(float(one.min()) for one in pixels) if low is None else low
    last = max(float(one.max()) for one in pixels) if high is None else high
    for index, one in enumerate(pixels):
        expected = (one.astype(np.float64) - first) * 255 / (last - first)
        assert np.abs(bench.arrays()[str(index)][0][..., :1] - expected).max() < 0.6


@pytest.mark.parametrize("blank", [np.nan, np.inf, -np.inf, -3.4e38])
def test_what_is_no_number_becomes_0_and_is_counted(bench: Bench, blank: float) -> None:
    pixels = [smooth(40, index).astype(np.float32) for index in range(3)]
    pixels[1][5:9, 7:20] = blank
    message = warning(bench.run(uploaded([tiff(one) for one in pixels], "tif")), "depth_scaled").message
    assert "52 pixels without a number became 0" in message
    image, _ = bench.arrays()["1"]
    assert not image[5:9, 7:20].any()
    assert image.max() > 240


def test_an_image_without_any_number_is_black(bench: Bench) -> None:
    empty = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    result = bench.run(uploaded([tiff(empty), tiff(empty + 1)], "tif"))
    assert "without any number" in warning(result, "depth_scaled").message
    assert not bench.arrays()["0"][0].any()


def test_no_data_of_gdal_is_no_value(bench: Bench) -> None:
    pixels = [smooth(900, index).astype(np.int16) for index in range(3)]
    for one in pixels:
        one[:10] = -9999
    files = [tiff(one, more={42113: b"-9999\0"}) for one in pixels]
    message = warning(bench.run(uploaded(files, "tif")), "depth_scaled").message
    assert f"{3 * 10 * WIDTH} pixels" in message
    assert bench.arrays()["0"][0][10:].max() > 240


@pytest.mark.parametrize("hot", [65535, 20000])
def test_a_hot_pixel_does_not_blacken_the_set(bench: Bench, hot: int) -> None:
    pixels = [smooth(4000, index).astype(np.uint16) for index in range(3)]
    pixels[1][20, 30] = hot
    message = warning(bench.run(uploaded([png(one) for one in pixels])), "depth_scaled").message
    assert "0..4095 became 0..255, what lies outside was cut off" in message
    assert bench.arrays()["1"][0][20, 30].tolist() == [255] * 3


def test_small_bright_things_count(bench: Bench) -> None:
    """A few cells on a dark ground are what is to be seen; they are no hot pixels."""
    pixels = [np.full((HEIGHT, WIDTH), 150, np.uint16) for _ in range(3)]
    pixels[1][10:13, 10:13] = 4000
    bench.run(uploaded([png(one) for one in pixels]))
    assert bench.arrays()["1"][0][11, 11, 0] == round(4000 * 255 / 4095)


@pytest.mark.parametrize("value", [0, 1, 1234, 65535])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int32])
def test_constant_images(bench: Bench, value: int, dtype: Any) -> None:
    result = bench.run(uploaded([tiff(np.full((HEIGHT, WIDTH), value, dtype))] * 2, "tif"))
    assert "depth_scaled" in codes(result, "warning")
    assert (bench.arrays()["0"][0].max() > 100) == (value > 1 or (value == 1 and dtype == np.float32))


def test_values_far_from_0_fill_the_range(bench: Bench) -> None:
    """CT in Hounsfield units, with 32768 added."""
    pixels = [smooth(34000, index, 1, 31800).astype(np.uint16) for index in range(3)]
    bench.run(uploaded([png(one) for one in pixels]))
    assert len(np.unique(bench.arrays()["0"][0])) > 100


def test_negative_values_of_signed_numbers(bench: Bench) -> None:
    pixels = [smooth(3000, index, 1, -1000).astype(np.int16) for index in range(3)]
    low, high = min(one.min() for one in pixels), max(one.max() for one in pixels)
    message = warning(bench.run(uploaded([tiff(one) for one in pixels], "tif")), "depth_scaled").message
    assert f"{low}..{high} became 0..255" in message
    expected = np.rint((pixels[0].astype(float) - low) * 255 / (int(high) - int(low)))
    assert np.array_equal(bench.arrays()["0"][0][..., :1], expected)


def test_8_bits_stay_and_the_mixture_is_said(bench: Bench) -> None:
    plain = photo(1, HEIGHT, WIDTH)
    files = [png(smooth(4000).astype(np.uint16)), encoded(plain), tiff(smooth(1).astype(np.float32))]
    result = bench.run(uploaded(files))
    message = warning(result, "depth_mixed").message
    for told in ("16 bits (grey)", "floats (grey)", "8 bits", "the 1 of 8 bits stay as they are"):
        assert told in message
    assert np.array_equal(bench.arrays()["1"][0], plain)
    assert bench.arrays()["0"][0].max() > 240
    assert bench.arrays()["2"][0].max() > 240


def test_sets_of_8_bits_say_nothing(bench: Bench) -> None:
    result = bench.run(uploaded([encoded(photo(index, HEIGHT, WIDTH)) for index in range(3)]))
    assert not {"depth_scaled", "depth_mixed"} & set(codes(result, "warning"))
    assert sorted(path.name for path in bench.version.iterdir()) == ["images.bin", "index.json", "masks.bin"]


def test_pictures_inside_an_annotation(bench: Bench) -> None:
    """LabelMe keeps the image in its JSON."""
    files = {}
    pixels = [smooth(4000, index).astype(np.uint16) for index in range(2)]
    for index, one in enumerate(pixels):
        document = {
            "version": "5.0.1",
            "imagePath": f"{index}.png",
            "imageData": base64.b64encode(png(one)).decode(),
            "imageHeight": HEIGHT,
            "imageWidth": WIDTH,
            "shapes": [{"label": "a", "shape_type": "polygon", "points": [[2, 2], [40, 2], [40, 30]]}],
        }
        files[f"{index}.json"] = json.dumps(document).encode()
    assert "0..4095 became" in warning(bench.run(files), "depth_scaled").message
    assert np.array_equal(bench.arrays()["0"][0][..., :1], np.rint(pixels[0] * (255 / 4095)))


def test_any_number_of_processes_gives_the_same(bench: Bench) -> None:
    files = [
        (png if index % 3 else tiff)(smooth(400 * (index + 1), index, 1 + 2 * (index % 2)).astype(np.uint16))
        for index in range(12)
    ]
    files.append(encoded(photo(3, HEIGHT, WIDTH)))
    results = [bench.run(uploaded(files), processes=count) for count in (1, 3)]
    one, three = results
    assert one == three
    assert one.summary is not None


def test_max_side_shrinks_in_full_depth(bench: Bench) -> None:
    pixels = [smooth(4000, index).astype(np.uint16) for index in range(2)]
    halves = encoded(mask(0, 0, 1, 1, height=HEIGHT, width=WIDTH))
    bench.run(uploaded([png(one) for one in pixels]) | {"masks/0.png": halves}, max_side=32)
    image, labels = bench.arrays()["0"]
    assert image.shape == (24, 32, 3)
    assert labels.shape == (24, 32)
    means = pixels[0].reshape(24, 2, 32, 2).mean(axis=(1, 3))
    assert np.abs(image[..., 0] - means * 255 / 4095).max() < 1


def test_the_scale_is_part_of_the_content(bench: Bench) -> None:
    """The same file beside a brighter one looks different: another version."""
    hashes = set()
    for bright in (1000, 60000):
        pixels = [smooth(900).astype(np.uint16), smooth(bright, 1).astype(np.uint16)]
        result = bench.run(uploaded([png(one) for one in pixels]))
        assert result.summary is not None
        hashes.add(result.summary.content_hash)
        end = 1023.0 if bright == 1000 else 65535.0
        assert bench.prepared.depth == (DepthScale(kind="uint16", channels=((0.0, end),)),)
    assert len(hashes) == 2


def test_a_set_of_8_bits_has_no_scale(bench: Bench) -> None:
    bench.run(folders([mask(0, 1)] * 2))
    assert bench.prepared.depth == ()


def test_a_picture_alone_is_scaled_by_its_own_range() -> None:
    pixels = smooth(4000).astype(np.uint16)
    assert np.array_equal(decode_image(png(pixels)).pixels, np.repeat(np.rint(pixels * (255 / 4095)), 3, 2))


def test_jpeg_2000_of_16_bits(bench: Bench) -> None:
    pixels = [smooth(4000, index).astype(np.uint16)[..., 0] for index in range(2)]
    data = []
    for one in pixels:
        buffer = io.BytesIO()
        Image.fromarray(one).save(buffer, "JPEG2000", irreversible=False)
        data.append(buffer.getvalue())
    result = bench.run(uploaded(data, "jp2"))
    assert "0..4095 became" in warning(result, "depth_scaled").message


@pytest.mark.parametrize("bands", [3, 4])
def test_jpeg_2000_of_16_bits_in_colours(bench: Bench, bands: int) -> None:
    pixels = [smooth(4000, index, bands).astype(np.uint16) for index in range(2)]
    data = [cv2.imencode(".jp2", one[..., [2, 1, 0, 3][:bands]])[1].tobytes() for one in pixels]
    result = bench.run(uploaded(data, "jp2"))
    assert "0..4095 became" in warning(result, "depth_scaled").message
    assert codes(result, "warning").count("bands_dropped") == 2 * (bands - 3)
    seen = bench.arrays()["0"][0].astype(float)
    assert np.abs(seen - pixels[0][..., :3] * (255 / 4095)).max() < 8


def avif(pixels: Array, bits: int) -> bytes:
    """An AVIF of uint16, (H, W) or (H, W, 3 or 4), RGB with alpha."""
    colors = pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return cv2.imencode(".avif", colors, [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100])[
        1
    ].tobytes()


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("bands", [1, 3, 4])
@pytest.mark.parametrize("part", [1, 4])
def test_avif_of_more_than_8_bits(bench: Bench, bits: int, bands: int, part: int) -> None:
    top = ((1 << bits) - 1) // part
    pixels = [smooth(top, index, max(bands, 3)).astype(np.uint16)[..., :bands] for index in range(2)]
    for one in pixels:
        one[..., 3:] = (1 << bits) // 3
    data = [avif(one[..., 0] if bands == 1 else one, bits) for one in pixels]
    result = bench.run(uploaded(data, "avif"))
    assert f"0..{top} became" in warning(result, "depth_scaled").message
    assert ("alpha_dropped" in codes(result, "warning")) == (bands == 4)
    seen = bench.arrays()["0"][0].astype(float)
    assert np.abs(seen - pixels[0][..., :3] * (255 / top)).max() < 12


@pytest.mark.parametrize(
    ("kind", "highest", "end"),
    [
        ("uint16", 0, 255),
        ("uint16", 256, 511),
        ("uint16", 8191, 8191),
        ("uint16", 8192, 10000),
        ("uint16", 10000, 10000),
        ("uint16", 10001, 16383),
        ("uint16", 65535, 65535),
        ("uint32", 65536, 131071),
        ("float32", 0.4, 0.4),
        ("float32", 0.6, 1.0),
        ("float32", 200.0, 255.0),
        ("float32", 3000.0, 3000.0),
    ],
)
def test_full_scales(kind: str, highest: float, end: float) -> None:
    assert full_scale(kind, highest) == end
