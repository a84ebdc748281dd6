"""Masks of colours, palettes, one mask per class, and label maps."""

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded, folders, mask, photo
from tests.ingest.scenes import answers, classes, names_of, upload_of

RED, GREEN, BLACK, GREY = (255, 0, 0), (0, 200, 0), (0, 0, 0), (90, 90, 90)


def colored(*colors: tuple[int, int, int], height: int = 6, width: int = 8) -> Array:
    """A mask whose rows take the colours in turn, (H, W, 3)."""
    rows = np.resize(np.array(colors, np.uint8), (height, 3))
    return np.repeat(rows[:, None], width, axis=1)


def paletted(values: Array, *colors: tuple[int, int, int]) -> Image.Image:
    image = Image.frombytes("P", values.shape[::-1], values.tobytes())
    image.putpalette([part for color in colors for part in color])
    return image


def named(bench: Bench, files: dict[str, bytes], **options: Any) -> dict[int, str]:
    result = bench.run(files, **options)
    assert result.summary is not None, result.problems
    return {info.value: info.name for info in result.summary.classes}


def test_colours_are_found_and_black_is_background(bench: Bench) -> None:
    files = folders([colored(BLACK, RED), colored(GREEN, RED, BLACK)])
    assert named(bench, files) == {0: "background", 1: "color_00c800", 2: "color_ff0000"}
    assert bench.result is not None
    assert codes(bench.result, "warning") == ["colors_found"]
    assert [info.color for info in bench.prepared.classes] == [BLACK, GREEN, RED]
    assert np.array_equal(bench.arrays()["1"][1], mask(1, 2, 0))


def test_a_mask_of_grey_colours_in_a_coloured_set_is_read_by_colour(bench: Bench) -> None:
    files = folders([colored(BLACK, RED), colored(BLACK, GREY)])
    assert named(bench, files) == {0: "background", 1: "color_5a5a5a", 2: "color_ff0000"}


def test_the_clients_table_of_colours(bench: Bench) -> None:
    files = folders([colored(BLACK, RED), colored(GREEN, RED, BLACK)])
    options = {"colors": {"#ff0000": 1, "#000000": 0, "#00c800": 5}}
    assert named(bench, files, **options) == {0: "background", 1: "color_ff0000", 5: "color_00c800"}
    names = {0: "ground", 1: "fire"}
    assert named(bench, files, **options, classes=names, ignore_value=5) == names
    assert np.array_equal(bench.arrays()["1"][1], mask(255, 1, 0))


def test_classes_json_is_a_table_of_colours(bench: Bench) -> None:
    about = {"classes": [{"id": 7, "name": "sky", "color": BLACK}, {"id": 9, "name": "fire", "color": RED}]}
    files = folders(
        [colored(BLACK, RED), colored(RED, BLACK)], **{"classes.json": json.dumps(about).encode()}
    )
    assert named(bench, files) == {7: "sky", 9: "fire"}
    files["masks/1.png"] = encoded(colored(RED, GREEN))
    result = bench.run(files)
    assert [(p.code, p.file) for p in result.problems] == [("mask_unknown_color", "masks/1.png")]
    assert "#00c800 (24 pixels)" in result.problems[0].message


def test_a_colour_that_is_none_and_too_many_colours(bench: Bench) -> None:
    files = folders([colored(BLACK, RED), colored(RED, BLACK)])
    assert codes(bench.run(files, colors={"red": 1})) == ["colors_option"]
    assert codes(bench.run(folders([photo(1, 20, 20), photo(2, 20, 20)]))) == ["mask_color"]


def test_a_palettes_indices_are_values_and_its_colours_are_kept(bench: Bench) -> None:
    first = paletted(mask(0, 1), BLACK, RED)
    second = paletted(mask(0, 2), BLACK, RED, GREEN)  # the palette of the first was cut off
    files = folders([first, second])
    assert named(bench, files) == {0: "background", 1: "class_1", 2: "class_2"}
    assert [info.color for info in bench.prepared.classes] == [BLACK, RED, GREEN]
    assert bench.result is not None
    assert bench.result.problems == ()


def test_palettes_that_contradict_each_other_are_read_by_colour(bench: Bench) -> None:
    files = folders([paletted(mask(0, 1), BLACK, RED), paletted(mask(0, 1), RED, BLACK)])
    assert named(bench, files) == {0: "background", 1: "color_ff0000"}
    assert np.array_equal(bench.arrays()["0"][1], 1 - bench.arrays()["1"][1])


def test_black_and_white_jpegs_are_hard_again(bench: Bench) -> None:
    drawn = np.zeros((64, 64), np.uint8)
    drawn[8:41, 5:50] = 255
    files = folders([drawn, drawn.T.copy()])
    files["masks/0.jpg"] = encoded(Image.fromarray(drawn), "JPEG", quality=80)
    del files["masks/0.png"]
    assert named(bench, files) == {0: "background", 255: "foreground"}
    assert np.array_equal(bench.arrays()["0"][1], drawn > 0)
    assert bench.result is not None
    assert codes(bench.result, "warning") == ["mask_jpeg"]


@pytest.mark.parametrize("pattern", ["masks/{cls}/{name}.png", "masks/{name}_{cls}.png"])
def test_one_mask_per_class(bench: Bench, pattern: str) -> None:
    left, right = np.zeros((6, 8), np.uint8), np.zeros((6, 8), np.uint8)
    left[:, :3], right[:, 5:] = 255, 255
    files = {f"images/{name}.jpg": encoded(photo(seed)) for seed, name in enumerate(("a_1", "b"))}
    for name, cls, data in [("a_1", "dog", left), ("a_1", "cat", right), ("b", "cat", left)]:
        files[pattern.format(name=name, cls=cls)] = encoded(data)
    assert named(bench, files) == {0: "background", 1: "cat", 2: "dog"}
    assert bench.arrays()["a_1"][1][0].tolist() == [2, 2, 2, 0, 0, 1, 1, 1]
    assert bench.arrays()["b"][1][0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]


def test_a_label_map_comes_before_the_rules_of_classes(bench: Bench) -> None:
    values = mask(0, 7, 90)
    files = folders([values, values])
    assert named(bench, files, label_map={90: 1, 7: None}) == {0: "background", 1: "class_1"}
    assert np.array_equal(bench.arrays()["0"][1], mask(0, 255, 1))
    assert bench.result is not None
    assert bench.result.summary is not None
    assert bench.result.summary.ignore_share == pytest.approx(1 / 3)


@pytest.mark.parametrize("value", [5, 300])
def test_a_label_map_of_values_that_do_not_occur_is_a_warning(bench: Bench, value: int) -> None:
    result = bench.run(folders([mask(0, 7, 90), mask(90, 0, 7)]), label_map={7: 1, value: 2})
    warning = next(problem for problem in result.problems if problem.code == "label_map_absent")
    assert warning.message == f"No mask has a pixel of 1 value(s) of the label map: {value}."
    assert warning.remedy.endswith("which are 0, 7, 90.")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("top/land_class_dict.csv", "name,r,g,b\nfire,255,0,0\nash,0,0,0\n"),
        ("class_dict_seg.csv", "name, r, g, b\nfire, 255, 0, 0\nash, 0, 0, 0\n"),
        ("annotation-colormap.txt", "0 fire 255 0 0\n1 ash 0 0 0\n"),
        ("colormap.txt", "3 wild fire 255 0 0\n4 ash 0 0 0\n"),
    ],
)
def test_tables_of_colours_by_other_names(bench: Bench, file: str, text: str) -> None:
    files = folders([colored(RED, BLACK), colored(BLACK, RED)], **{file: text.encode()})
    assert named(bench, files) == {0: "wild fire" if "wild" in text else "fire", 1: "ash"}


def test_values_are_named_by_roboflows_table(bench: Bench) -> None:
    table = b"Pixel Value, Class\n0, background\n1, crack\n2, spall, old\n\n300, x\n"
    files = folders([mask(0, 1), mask(2, 0)], **{"train/_classes.csv": table})
    assert named(bench, files) == {0: "background", 1: "crack", 2: "spall"}
    files["train/_classes.csv"] = b"filename, cat, dog\n0.png, 1, 0\n"  # of its sets for classification
    assert named(bench, files) == {0: "background", 1: "class_1", 2: "class_2"}


TABLE = np.array([BLACK, (128, 0, 0), (0, 128, 0), (0, 0, 192)], np.uint8)
DRAWN = [classes((1, 2, 3), 2, seed) for seed in range(6)]


def varied(most: int) -> list[Array]:
    """Masks in which each file has each colour changed by at most so much."""
    found = []
    for seed, drawn in enumerate(DRAWN):
        change = np.random.default_rng(seed).integers(-most, most + 1, TABLE.shape)
        found.append((TABLE + change).clip(0, 255).astype(np.uint8)[drawn])
    return found


def halved() -> list[Array]:
    """Every other file is a little lighter, the background too."""
    return [(TABLE + seed % 2)[mask].astype(np.uint8) for seed, mask in enumerate(DRAWN)]


@pytest.mark.parametrize("colors", [varied(1), varied(2), varied(3), halved()])
def test_colours_that_each_file_changes_a_little_are_asked_about(bench: Bench, colors: list[Array]) -> None:
    files = upload_of(map(encoded, colors), DRAWN)
    results = answers(bench, files)
    assert len(names_of(results["same"])) == 4
    assert len(names_of(results["classes"])) > 5
    assert len(names_of(bench.run(files, on_question="assume"))) == 4
    for name, (_, values) in bench.arrays().items():
        assert len(set(zip(values.flat, DRAWN[int(name)].flat, strict=True))) == 4
    assert codes(bench.run(files, on_question="fail")) == ["near_colors"]


@pytest.mark.parametrize("colors", [varied(2), halved()])
def test_colours_near_to_those_of_a_table_are_these(bench: Bench, colors: list[Array]) -> None:
    table = b"name,r,g,b\nground,0,0,0\na,128,0,0\nb,0,128,0\nc,0,0,192\n"
    result = bench.run(upload_of(map(encoded, colors), DRAWN) | {"class_dict.csv": table})
    assert names_of(result) == {0: "ground", 1: "a", 2: "b", 3: "c"}
    assert np.array_equal(bench.arrays()["003"][1], DRAWN[3])


def test_noise_in_colours_is_no_class(bench: Bench) -> None:
    masks = []
    for seed, drawn in enumerate(DRAWN):
        noise = np.random.default_rng(seed).integers(-1, 2, (*drawn.shape, 3))
        masks.append(encoded((TABLE[drawn] + noise).clip(0, 255).astype(np.uint8)))
    result = bench.run(upload_of(masks, DRAWN))
    assert len(names_of(result)) == 4
    assert "colors_found" in codes(result, "warning")


@pytest.mark.parametrize("step", [1, 3, 9])
def test_near_colours_beside_each_other_are_classes(bench: Bench, step: int) -> None:
    """The red of a pixel is the number of its class."""
    masks = [encoded(np.dstack([step * drawn, 0 * drawn, 0 * drawn])) for drawn in DRAWN]
    assert len(names_of(bench.run(upload_of(masks, DRAWN)))) == 4


@pytest.mark.parametrize("shown_in", [1, 6])
def test_small_objects_of_dark_colours_are_no_edges(bench: Bench, shown_in: int) -> None:
    """Each dark colour lies between black and a bright one, as those of smoothed edges do."""
    bright = [BLACK, RED, (0, 255, 0), (0, 0, 255)]
    dark = [(128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (100, 100, 0)]
    table = np.array(bright + dark, np.uint8)
    drawn = [one.copy() for one in DRAWN]
    for drawing in drawn[:shown_in]:
        for value in range(4, 9):
            drawing[112:114, 5 + 10 * value : 8 + 10 * value] = value
    assert len(names_of(bench.run(upload_of([encoded(table[one]) for one in drawn], drawn)))) == 9
