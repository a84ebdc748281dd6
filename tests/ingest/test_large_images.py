"""Images above the pixel limit are made smaller while they are read, and so are their masks."""

import io
import struct
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded, photo
from tests.ingest.tiffs import png, tiff
from workers.ingest.pictures import decode as decoding
from workers.ingest.pictures import decoding_memory, limits
from workers.ingest.problems import Refused
from workers.ingest.raster.bmp import bmp_raster
from workers.ingest.raster.shrink import shrink_area, shrink_nearest

HEIGHT, WIDTH = 331, 500
SIDE = 128
KEPT = (85, 128)


@pytest.fixture(autouse=True)
def _low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (limits, decoding, decoding_memory):
        monkeypatch.setattr(module, "MAX_PIXELS", 100_000)


def scene(seed: int = 0, dtype: Any = np.uint8, highest: int = 255) -> Array:
    chance = np.random.default_rng(seed)
    small = chance.integers(0, highest + 1, (12, 18, 3)).astype(np.float32)
    return np.clip(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 0, highest).astype(
        dtype
    )


def labels(seed: int = 0, values: tuple[int, ...] = (0, 1, 7, 200)) -> Array:
    small = np.random.default_rng(seed).integers(0, len(values), (9, 13))
    whole = cv2.resize(small.astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    return np.array(values, np.uint8)[whole]


def palette(values: Array) -> Image.Image:
    image = Image.fromarray(values).convert("P")
    image.putpalette([channel for index in range(256) for channel in (index, 255 - index, index // 2)])
    return image


IMAGES = {
    "jpg": lambda pixels: encoded(pixels, "JPEG", quality=98, subsampling=0),
    "progressive.jpg": lambda pixels: encoded(pixels, "JPEG", quality=98, subsampling=0, progressive=True),
    "cmyk.jpg": lambda pixels: encoded(Image.fromarray(pixels).convert("CMYK"), "JPEG", quality=98),
    "png": lambda pixels: encoded(pixels),
    "rgba.png": lambda pixels: encoded(Image.fromarray(pixels).convert("RGBA")),
    "tif": lambda pixels: tiff(pixels, rows=7),
    "tiled.tif": lambda pixels: tiff(pixels, tile=64, deflate=True, predictor=2),
    "planes.tif": lambda pixels: tiff(pixels, planar=True),
    "lzw.tif": lambda pixels: encoded(pixels, "TIFF", compression="tiff_lzw"),
    "jpeg.tif": lambda pixels: encoded(pixels, "TIFF", compression="jpeg", quality=98),
    "ppm": lambda pixels: encoded(pixels, "PPM"),
    "bmp": lambda pixels: encoded(pixels, "BMP"),
    "32 bits.bmp": lambda pixels: encoded(Image.fromarray(pixels).convert("RGBA"), "BMP"),
    "jp2": lambda pixels: encoded(pixels, "JPEG2000"),
    "tiles.jp2": lambda pixels: encoded(pixels, "JPEG2000", tile_size=(128, 64)),
    "two levels.jp2": lambda pixels: encoded(pixels, "JPEG2000", num_resolutions=2),
    "j2k": lambda pixels: encoded(pixels, "JPEG2000", no_jp2=True),
    "webp": lambda pixels: encoded(pixels, "WEBP", quality=98),
    "lossless.webp": lambda pixels: encoded(pixels, "WEBP", lossless=True),
    "rgba.webp": lambda pixels: encoded(Image.fromarray(pixels).convert("RGBA"), "WEBP", lossless=True),
    "avif": lambda pixels: encoded(pixels, "AVIF", quality=98, subsampling="4:4:4"),
}

MASKS = {
    "png": lambda values: encoded(values),
    "palette.png": lambda values: encoded(palette(values)),
    "rgb.png": lambda values: encoded(np.dstack([values] * 3)),
    "filtered.png": lambda values: png(values, bits=8),
    "wide.png": lambda values: encoded(values.astype(np.uint16)),
    "spread.png": lambda values: encoded(values.astype(np.uint16) * 257),
    "tif": lambda values: tiff(values),
    "tiled.tif": lambda values: tiff(values, tile=32, deflate=True),
    "lzw.tif": lambda values: encoded(values, "TIFF", compression="tiff_lzw"),
    "int32.tif": lambda values: tiff(values.astype(np.int32)),
    "pgm": lambda values: encoded(values, "PPM"),
    "bmp": lambda values: encoded(values, "BMP"),
    "palette.bmp": lambda values: encoded(palette(values), "BMP"),
    "rgb.bmp": lambda values: encoded(np.dstack([values] * 3), "BMP"),
    "gif": lambda values: encoded(values, "GIF", optimize=False),
    "lossless.webp": lambda values: encoded(np.dstack([values] * 3), "WEBP", lossless=True),
}


def nearest(values: Array) -> Array:
    rows = (np.arange(KEPT[0]) * 2 + 1) * HEIGHT // (2 * KEPT[0])
    columns = (np.arange(KEPT[1]) * 2 + 1) * WIDTH // (2 * KEPT[1])
    return values[rows][:, columns]


def uploaded(image: str, mask: str) -> dict[str, bytes]:
    files = {}
    for index in range(2):
        files[f"images/{index}.{image.rpartition('.')[2]}"] = IMAGES[image](scene(index))
        files[f"masks/{index}.{mask.rpartition('.')[2]}"] = MASKS[mask](labels(index))
    return files


@pytest.mark.parametrize("image", IMAGES)
def test_images_are_means_of_what_they_cover(bench: Bench, image: str) -> None:
    result = bench.run(uploaded(image, "png"), max_side=SIDE, processes=1)
    assert codes(result) == []
    expected = cv2.resize(scene(1), (KEPT[1], KEPT[0]), interpolation=cv2.INTER_AREA)
    found, _ = bench.arrays()["1"]
    lossy = 12 if "j" in image or image in ("webp", "avif") else 1
    assert np.abs(found.astype(int) - expected).max() <= lossy


@pytest.mark.parametrize("mask", MASKS)
def test_masks_keep_their_values(bench: Bench, mask: str) -> None:
    bench.run(uploaded("jpg", mask), max_side=SIDE)
    classes = {info.value: info.index for info in bench.prepared.classes}
    for index in range(2):
        expected = np.vectorize(classes.get)(nearest(labels(index)))
        assert np.array_equal(bench.arrays()[str(index)][1], expected)


@pytest.mark.parametrize("processes", [1, 3])
def test_any_number_of_processes_gives_the_same(bench: Bench, processes: int) -> None:
    files = uploaded("png", "png") | {
        "images/2.png": encoded(scene(2)[:50]),
        "masks/2.png": encoded(labels()[:50]),
    }
    result = bench.run(files, max_side=SIDE, processes=processes)
    assert result == bench.run(files, max_side=SIDE, processes=1)


def test_masks_of_colours(bench: Bench) -> None:
    colors = np.array([[0, 0, 0], [255, 0, 0], [0, 128, 255]], np.uint8)
    files = {}
    for index in range(2):
        files[f"images/{index}.jpg"] = IMAGES["jpg"](scene(index))
        files[f"masks/{index}.png"] = encoded(colors[labels(index, (0, 1, 2))])
    options = {"#000000": 0, "#ff0000": 1, "#0080ff": 2}
    bench.run(files, max_side=SIDE, colors=options, classes={0: "a", 1: "b", 2: "c"})
    assert np.array_equal(bench.arrays()["0"][1], nearest(labels(0, (0, 1, 2))))


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_colours_of_large_masks_are_found(bench: Bench, ending: str) -> None:
    colors = np.array([[0, 0, 0], [255, 0, 0], [0, 128, 255]], np.uint8)
    write = tiff if ending == "tif" else encoded
    files = {}
    for index in range(2):
        files[f"images/{index}.jpg"] = IMAGES["jpg"](scene(index))
        files[f"masks/{index}.{ending}"] = write(colors[labels(index, (0, 1, 2))])
    result = bench.run(files, max_side=SIDE)
    assert codes(result, "warning") == ["colors_found"]
    assert [info.name for info in bench.prepared.classes] == ["background", "color_0080ff", "color_ff0000"]
    assert np.array_equal(bench.arrays()["0"][1], np.array([0, 2, 1])[nearest(labels(0, (0, 1, 2)))])


def test_palettes_of_large_masks_that_differ_are_colours(bench: Bench) -> None:
    files = {f"images/{index}.jpg": IMAGES["jpg"](scene(index)) for index in range(2)}
    for index, order in enumerate(([0, 0, 0, 255, 0, 0], [255, 0, 0, 0, 0, 0])):
        image = Image.fromarray(labels(0, (0, 1)) if index == 0 else 1 - labels(0, (0, 1))).convert("P")
        image.putpalette(order)
        files[f"masks/{index}.png"] = encoded(image)
    bench.run(files, max_side=SIDE)
    assert np.array_equal(bench.arrays()["0"][1], bench.arrays()["1"][1])


@pytest.mark.parametrize("white", [{}, {"classes": {0: "ground", 1: "thing"}}])
def test_masks_of_one_bit(bench: Bench, white: dict[str, Any]) -> None:
    files = {f"images/{index}.jpg": IMAGES["jpg"](scene(index)) for index in range(2)}
    files |= {f"masks/{index}.png": encoded(labels(index, (0, 1)) > 0) for index in range(2)}
    bench.run(files, max_side=SIDE, **white)
    assert np.array_equal(bench.arrays()["0"][1], nearest(labels(0, (0, 1))))


@pytest.mark.parametrize(
    ("orientation", "drawn"),
    [
        (1, "displayed"),
        (3, "displayed"),
        *((turn, drawn) for turn in (6, 8) for drawn in ("displayed", "stored")),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_orientation(bench: Bench, orientation: int, kind: str, drawn: str) -> None:
    """The mask lies on the image as it does where both are read whole."""
    shapes = {}
    values = labels(0, (0, 1))
    picture = np.dstack([values * np.uint8(200)] * 3)
    turned = decoding.oriented(values, orientation) if drawn == "displayed" else values
    for index in range(2):
        shapes[f"images/{index}.png"] = encoded(picture, kind, orientation)
        shapes[f"masks/{index}.png"] = encoded(np.ascontiguousarray(turned))
    bench.run(shapes, max_side=SIDE)
    image, found = bench.arrays()["0"]
    assert image.shape[:2] == found.shape
    assert image.shape[:2] == (KEPT if orientation < 5 else KEPT[::-1])
    assert ((image[..., 0] > 100) == (found == 1)).mean() > 0.96


def test_deep_images_are_shrunk_and_scaled(bench: Bench) -> None:
    files = {}
    for index in range(2):
        write = png if index else tiff
        files[f"images/{index}.png"] = write(scene(index, np.uint16, 4000))
        files[f"masks/{index}.png"] = encoded(labels(index))
    result = bench.run(files, max_side=SIDE)
    assert "depth_scaled" in codes(result, "warning")
    expected = cv2.resize(scene(1, np.uint16, 4000), KEPT[::-1], interpolation=cv2.INTER_AREA) * (255 / 4095)
    assert np.abs(bench.arrays()["1"][0] - expected).max() < 1


def test_polygons_are_painted_at_the_size_that_they_were_drawn_in(bench: Bench) -> None:
    line = "0 0.2 0.2 0.8 0.2 0.8 0.8 0.2 0.8"
    files = {f"images/train/{index}.jpg": IMAGES["jpg"](scene(index)) for index in range(2)}
    files |= {f"labels/train/{index}.txt": line.encode() for index in range(2)}
    bench.run(files | {"data.yaml": b"names: [thing]\n"}, max_side=SIDE)
    image, found = bench.arrays()[next(iter(bench.arrays()))]
    assert found.shape == image.shape[:2] == KEPT
    assert 0.33 < (found > 0).mean() < 0.39


def test_what_would_take_too_much_memory_is_made_smaller(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has few enough pixels to be read whole; its mask is, and is made smaller as the image is."""
    for module in (limits, decoding, decoding_memory):
        monkeypatch.setattr(module, "MAX_PIXELS", 1_000_000)
    monkeypatch.setattr(decoding_memory, "MAX_MEMORY", 900_000)
    result = bench.run(uploaded("lzw.tif", "png"), max_side=SIDE)
    assert codes(result) == []
    assert bench.arrays()["0"][0].shape[:2] == KEPT
    assert "max_side" in bench.run(uploaded("lzw.tif", "png")).problems[0].remedy


def test_without_max_side_the_remedy_names_it(bench: Bench) -> None:
    result = bench.run(uploaded("jpg", "png"))
    assert codes(result) == ["image_too_large"] * 2
    assert "max_side" in result.problems[0].remedy


def test_above_the_higher_limit_it_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_REDUCED_PIXELS", 150_000)
    result = bench.run(uploaded("png", "png"), max_side=SIDE)
    assert codes(result) == ["image_too_large"] * 2
    assert "150000" in result.problems[0].message


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "AVIF"])
def test_formats_that_are_read_whole_are_made_smaller_at_once(bench: Bench, kind: str) -> None:
    files = uploaded("png", "png")
    files = {path: data for path, data in files.items() if not path.startswith("images/")}
    files |= {f"images/{index}.{kind.lower()}": encoded(scene(index), kind) for index in range(2)}
    refused = bench.run(files)
    assert codes(refused) == ["image_too_large"] * 2
    assert "max_side" in refused.problems[0].remedy
    assert codes(bench.run(files, max_side=SIDE)) == []
    assert bench.arrays()["0"][0].shape[:2] == KEPT


@pytest.mark.parametrize("image", ["jpg", "png", "lzw.tif", "tiled.tif", "ppm"])
def test_large_pictures_that_are_cut_off_are_refused(bench: Bench, image: str) -> None:
    files = uploaded(image, "png")
    name = next(iter(files))
    result = bench.run(files | {name: files[name][: len(files[name]) // 2]}, max_side=SIDE)
    assert {(one.severity, one.file) for one in result.problems} == {("error", name)}


@pytest.mark.parametrize("size", [(1, 1), (64, 50), (499, 330), (250, 331), (500, 331)])
@pytest.mark.parametrize("rows", [1, 7, 331])
def test_strips_are_shrunk_as_the_whole_is(size: tuple[int, int], rows: int) -> None:
    pixels = scene()
    strips = [pixels[top : top + rows] for top in range(0, HEIGHT, rows)]
    expected = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    found = shrink_area(iter(strips), (WIDTH, HEIGHT), size)
    assert np.abs(found.astype(int) - expected).max() <= 1
    picked = shrink_nearest(iter(strips), (WIDTH, HEIGHT), size)
    whole = cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST_EXACT)
    assert picked.shape == whole.shape
    assert (picked == whole).mean() > 0.9


def test_several_masks_and_none_are_made_as_small(bench: Bench) -> None:
    files = {}
    for number in range(4):
        files[f"a/{number}.png"] = encoded(scene(number))
        if number:
            files[f"a/{number}_mask.png"] = encoded(labels(number, (0, 0, 0, 255)))
            files[f"a/{number}_mask_1.png"] = encoded(labels(number + 9, (0, 0, 0, 255)))
    result = bench.run(files, max_side=SIDE, unmasked="background")
    assert codes(result) == []
    assert result.summary is not None
    assert result.summary.images == 4
    assert all(mask.shape == KEPT for _, mask in bench.arrays().values())
    assert not bench.arrays()["0"][1].any()


def test_large_pictures_that_take_too_much_memory_say_what_to_do() -> None:
    data = bytearray(encoded(photo(), "WEBP", lossless=True))
    size = 15_999 | 15_999 << 14  # of a lossless WebP: the sides less one, of 14 bits each
    data[21:25] = (int.from_bytes(data[21:25], "little") & 0xF << 28 | size).to_bytes(4, "little")
    with pytest.raises(Refused) as refused:
        decoding.decode(bytes(data), max_side=SIDE)
    assert refused.value.problem_code == "image_too_large"
    assert "16000x16000" in refused.value.message
    assert "Cut it into tiles" in refused.value.remedy


def test_deep_colours_in_jpeg_2000_say_what_to_do(bench: Bench) -> None:
    """They are read whole alone: less of their frequencies would have 8 bits."""
    files = uploaded("png", "png")
    deep = cv2.imencode(".jp2", scene(0, np.uint16, 4000))[1].tobytes()
    del files["images/0.png"]
    result = bench.run(files | {"images/0.jp2": deep}, max_side=SIDE)
    assert codes(result) == ["image_too_large"]
    assert "save it as JPEG, PNG or TIFF" in result.problems[0].remedy


def test_a_mask_is_not_read_from_less_of_a_jpeg_2000(bench: Bench) -> None:
    files = uploaded("png", "png")
    del files["masks/0.png"]
    result = bench.run(files | {"masks/0.jp2": encoded(labels(), "JPEG2000")}, max_side=SIDE)
    assert codes(result) == ["image_too_large"]
    assert "save it as JPEG, PNG or TIFF" in result.problems[0].remedy


@pytest.mark.parametrize("kind", ["BMP", "JPEG2000"])
def test_the_remedy_names_max_side_for_formats_that_are_read_in_parts(bench: Bench, kind: str) -> None:
    ending = {"BMP": "bmp", "JPEG2000": "jp2"}[kind]
    result = bench.run(uploaded(ending, "png"))
    assert codes(result) == ["image_too_large"] * 2
    assert "max_side" in result.problems[0].remedy


def test_deep_grey_in_jpeg_2000_is_shrunk(bench: Bench) -> None:
    """As bands of Sentinel-2 are: one of 16 bits."""
    files = {}
    for index in range(2):
        deep = scene(index, np.uint16, 4000)[..., 0]
        files[f"images/{index}.jp2"] = encoded(deep, "JPEG2000")
        files[f"masks/{index}.png"] = encoded(labels(index))
    result = bench.run(files, max_side=SIDE)
    assert codes(result) == []
    image, mask = bench.arrays()["1"]
    assert image.shape[:2] == mask.shape == KEPT
    expected = cv2.resize(scene(1, np.uint16, 4000)[..., 0], KEPT[::-1], interpolation=cv2.INTER_AREA)
    assert np.corrcoef(image[..., 0].ravel(), expected.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("tall", [False, True])
@pytest.mark.parametrize("kind", ["1", "L", "P", "RGB"])
def test_bmp_in_strips_is_as_pillow_reads_it(kind: str, tall: bool) -> None:
    image = Image.fromarray(scene()).convert(kind)
    data = bytearray(encoded(image, "BMP"))
    if tall:
        struct.pack_into("<l", data, 22, -HEIGHT)
    found = bmp_raster(bytes(data))
    assert found is not None
    pixels = found.colored(np.concatenate(list(found.strips())))
    expected = np.asarray(Image.open(io.BytesIO(bytes(data))).convert("RGB"))
    assert (np.broadcast_to(pixels, expected.shape) == expected).all()


@pytest.mark.parametrize("harm", [b"", b"BM", "compressed", "empty", "cut off"])
def test_other_bmp_are_not_read_in_strips(harm: bytes | str) -> None:
    data = bytearray(encoded(scene(), "BMP"))
    if isinstance(harm, bytes):
        assert bmp_raster(harm) is None
    elif harm == "compressed":
        struct.pack_into("<L", data, 30, 1)
        assert bmp_raster(bytes(data)) is None
    else:
        if harm == "empty":
            struct.pack_into("<l", data, 18, 0)
        with pytest.raises(Refused, match="cannot be read"):
            bmp_raster(bytes(data[:3000] if harm == "cut off" else data))
