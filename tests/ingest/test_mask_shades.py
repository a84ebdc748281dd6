"""What is seen in a mask counts, not how its file stores it."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.scenes import HEIGHT, WIDTH, answers, classes, names_of, upload_of

BLACK, WHITE, RED, GREEN = (0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 200, 0)
BINARY = {0: "background", 255: "foreground"}


def shapes(values: tuple[int, ...] = (1,), images: int = 6) -> list[Array]:
    return [classes(values, 3, seed) for seed in range(images)]


def paletted(indices: Array, colors: dict[int, tuple[int, int, int]], kind: str = "PNG") -> bytes:
    """A palette picture; indices without a colour are black."""
    image = Image.frombytes("P", indices.shape[::-1], indices.astype(np.uint8).tobytes())
    image.putpalette([part for index in range(256) for part in colors.get(index, BLACK)])
    return encoded(image, kind)


def alpha(mask: Array, color: tuple[int, ...] = RED) -> bytes:
    pixels = np.dstack([np.broadcast_to(np.uint8(color), (*mask.shape, len(color))), 255 * mask])
    return encoded(pixels.astype(np.uint8))


WAYS: dict[str, Callable[[Array], bytes]] = {
    "grey": lambda mask: encoded(255 * mask),
    "white at 251": lambda mask: paletted(251 * mask, {251: WHITE, 255: WHITE}),
    "white at 1": lambda mask: paletted(mask, {1: WHITE}),
    "white at 0": lambda mask: paletted(1 - mask, {0: WHITE}),
    "gif": lambda mask: paletted(mask, {1: WHITE}, "GIF"),
    "one bit": lambda mask: encoded(Image.fromarray(mask.astype(bool))),
    "rgb": lambda mask: encoded(np.dstack([255 * mask] * 3)),
    "rgba": lambda mask: encoded(np.dstack([255 * mask] * 3 + [np.full_like(mask, 255)])),
    "16 bits": lambda mask: encoded(65535 * mask.astype(np.uint16)),
    "la": lambda mask: encoded(np.dstack([255 * mask, np.full_like(mask, 255)])),
}


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", ["grey", "white at 251", "rgb"])
def test_files_of_a_set_may_differ_in_mode(bench: Bench, first: str, second: str) -> None:
    masks = shapes()
    data = [WAYS[(first, second)[number % 2]](mask) for number, mask in enumerate(masks)]
    assert names_of(bench.run(upload_of(data, masks))) == BINARY
    for name, (_, mask) in bench.arrays().items():
        assert np.array_equal(mask, masks[int(name)])


@pytest.mark.parametrize("named", [{0: "background", 255: "vessel"}, {0: "background", 1: "vessel"}])
def test_named_classes_fit_the_shades(bench: Bench, named: dict[int, str]) -> None:
    masks = shapes()
    white = max(named)
    data = [
        encoded(white * mask) if number % 2 else WAYS["one bit"](mask) for number, mask in enumerate(masks)
    ]
    assert names_of(bench.run(upload_of(data, masks), classes=named)) == named


def test_an_inverted_palette_is_read_as_seen(bench: Bench) -> None:
    masks = shapes()
    bench.run(upload_of([WAYS["white at 0"](mask) for mask in masks], masks))
    assert np.array_equal(bench.arrays()["000"][1], masks[0])


def test_indices_count_where_greys_beside_them_are_indices(bench: Bench) -> None:
    masks = shapes((1, 2, 3))
    colors = {1: RED, 2: GREEN, 3: WHITE}
    data = [paletted(mask, colors) if number % 2 else encoded(mask) for number, mask in enumerate(masks)]
    assert set(names_of(bench.run(upload_of(data, masks)))) == {0, 1, 2, 3}


def test_a_colour_beside_white_is_one_class(bench: Bench) -> None:
    masks = shapes()
    data = [
        paletted(mask, {1: RED}) if number % 2 else encoded(255 * mask) for number, mask in enumerate(masks)
    ]
    assert names_of(bench.run(upload_of(data, masks))) == BINARY


def test_palettes_that_fit_the_others_in_no_way_are_refused(bench: Bench) -> None:
    masks = shapes((1, 2, 3))
    data = [
        paletted(mask, {1: RED, 2: GREEN, 3: WHITE}) if number % 2 else encoded(80 * mask)
        for number, mask in enumerate(masks)
    ]
    assert codes(bench.run(upload_of(data, masks))) == ["mask_modes"]


@pytest.mark.parametrize("color", [BLACK, RED, (255,), (0,)])
def test_shapes_in_transparency(bench: Bench, color: tuple[int, ...]) -> None:
    masks = shapes()
    result = bench.run(upload_of([alpha(mask, color) for mask in masks], masks))
    assert names_of(result) == BINARY
    assert result.summary is not None
    assert result.summary.reading is not None
    assert "transparency" in result.summary.reading.guesses[0]
    assert np.array_equal(bench.arrays()["000"][1], masks[0])


def test_named_classes_fit_what_is_seen(bench: Bench) -> None:
    masks = shapes()
    named = {0: "background", 1: "cat"}
    for data in ([alpha(mask) for mask in masks], [WAYS["white at 0"](mask) for mask in masks]):
        assert names_of(bench.run(upload_of(data, masks), classes=named)) == named


def test_an_empty_mask_in_transparency(bench: Bench) -> None:
    masks = [*shapes(), np.zeros((HEIGHT, WIDTH), np.uint8)]
    assert names_of(bench.run(upload_of([alpha(mask) for mask in masks], masks))) == BINARY


TABLE = np.array([BLACK, RED, GREEN, (0, 0, 255)], np.uint8)
COLORS = {"#000000": 0, "#ff0000": 1, "#00c800": 2, "#0000ff": 3}


def smoothed(mask: Array) -> Array:
    """A mask of colours whose edges a drawing program has smoothed."""
    large = cv2.resize(TABLE[mask], None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    moved = np.roll(large, (2, 1), (0, 1))
    return np.asarray(cv2.resize(moved, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("named", [True, False])
def test_smoothed_edges_go_to_the_nearest_colour(bench: Bench, named: bool) -> None:
    masks = shapes((1, 2, 3))
    files = upload_of([encoded(smoothed(mask)) for mask in masks], masks)
    result = bench.run(files, **({"colors": COLORS} if named else {}))
    assert len(names_of(result)) == 4
    [warning] = [one for one in result.problems if one.code == "mask_soft_colors"]
    assert int(warning.message.split()[0]) > 100
    shown = {info.index: TABLE.tolist().index(list(info.color)) for info in bench.prepared.classes}
    for name, (_, mask) in bench.arrays().items():
        assert np.mean(np.vectorize(shown.get)(mask) == masks[int(name)]) > 0.97


def test_jpegs_of_named_colours_go_to_the_nearest(bench: Bench) -> None:
    masks = shapes((1, 2, 3))
    files = upload_of(
        [encoded(TABLE[mask], "JPEG", quality=92, subsampling=0) for mask in masks], masks, "jpg"
    )
    result = bench.run(files, colors=COLORS)
    assert len(names_of(result)) == 4
    assert "mask_soft_colors" in codes(result, "warning")
    for name, (_, mask) in bench.arrays().items():
        assert np.mean(mask == masks[int(name)]) > 0.97


def test_colours_that_are_no_edges_are_refused(bench: Bench) -> None:
    masks = shapes((1, 2, 3))
    pictures = [TABLE[mask] for mask in masks]
    pictures[2][:60] = (90, 90, 0)
    result = bench.run(upload_of(map(encoded, pictures), masks), colors=COLORS)
    assert codes(result) == ["mask_unknown_color"]


def test_rare_colours_of_objects_are_classes(bench: Bench) -> None:
    masks = shapes((1, 2))
    pictures = [TABLE[mask] for mask in masks]
    pictures[0][2:8, 2:8] = (0, 0, 255)
    result = bench.run(upload_of(map(encoded, pictures), masks))
    assert len(names_of(result)) == 4


TWICE = {1: RED, 2: RED, 3: GREEN}


def test_one_color_at_several_indices_is_asked_about(bench: Bench) -> None:
    masks = shapes((1, 2, 3))
    files = upload_of([paletted(mask, TWICE) for mask in masks], masks)
    [question] = bench.run(files).questions
    assert question.code == "palette_indices"
    found = answers(bench, files)
    assert len(names_of(found["colors"])) == 3
    assert names_of(found["indices"]) == {0: "background", 1: "class_1", 2: "class_2", 3: "class_3"}


@pytest.mark.parametrize(
    ("text", "count"), [("background\na\nb\nc\n", 4), ("0 background\n1 a\n2 b\n3 c\n", 4)]
)
def test_as_many_names_as_indices_settle_it(bench: Bench, text: str, count: int) -> None:
    masks = shapes((1, 2, 3))
    files = upload_of([paletted(mask, TWICE) for mask in masks], masks) | {"classes.txt": text.encode()}
    result = bench.run(files)
    assert result.questions == ()
    assert len(names_of(result)) == count
    for name, (_, mask) in bench.arrays().items():
        assert np.array_equal(mask, masks[int(name)])


def test_classes_of_the_client_are_indices(bench: Bench) -> None:
    masks = shapes((1, 2, 3))
    files = upload_of([paletted(mask, TWICE) for mask in masks], masks)
    named = {0: "background", 1: "a", 2: "b", 3: "c"}
    assert names_of(bench.run(files, classes=named)) == named
