"""Which values become which classes."""

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded, folders, mask, named


def found(bench: Bench, *masks: Array | Image.Image, **options: Any) -> dict[int, str]:
    """The classes of a set that must be sound, name by value."""
    result = bench.run(folders(masks), **options)
    assert result.summary is not None, result.problems
    return {info.value: info.name for info in result.summary.classes}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0, 255), {0: "background", 255: "foreground"}),
        ((0, 1), {0: "background", 1: "class_1"}),
        ((1, 2, 3), {1: "class_1", 2: "class_2", 3: "class_3"}),
        ((0, 7, 26), {0: "background", 7: "class_7", 26: "class_26"}),
        ((0, 128, 255), {0: "background", 128: "value_128", 255: "value_255"}),
        ((0, 85, 170), {0: "background", 85: "value_85", 170: "value_170"}),
    ],
)
def test_classes_found_in_masks(bench: Bench, values: tuple[int, ...], expected: dict[int, str]) -> None:
    assert found(bench, mask(*values), mask(*values)) == expected


@pytest.mark.parametrize("values", [(0, 1, 255), (0, 15, 20, 255)])
def test_255_beside_ids_is_ignored_with_a_warning(bench: Bench, values: tuple[int, ...]) -> None:
    result = bench.run(folders([mask(*values), mask(*values)]))
    assert codes(result, "warning") == ["ignore_guessed"]
    assert result.summary is not None
    assert [info.value for info in result.summary.classes] == list(values[:-1])
    assert result.summary.ignore_share > 0


def test_dense_ids_above_64_are_ids(bench: Bench) -> None:
    names = found(bench, mask(*range(150), height=150), mask(0, 1), objects="classes")
    assert names[149] == "class_149"
    assert len(names) == 150


def test_one_bit_masks_are_foreground(bench: Bench) -> None:
    one_bit = Image.fromarray(mask(0, 1).astype(bool))
    assert found(bench, one_bit, mask(0, 255)) == {0: "background", 255: "foreground"}
    assert found(bench, one_bit, mask(0, 1), classes={0: "no", 1: "yes"}) == {0: "no", 1: "yes"}


def test_pixels_become_indices_and_ignored_ones_255(bench: Bench) -> None:
    values = mask(0, 128, 200, 255)
    names = found(bench, values, values, classes={255: "c", 0: "a", 128: "b"}, ignore_value=200)
    assert names == {0: "a", 128: "b", 255: "c"}
    for _, prepared in bench.arrays().values():
        assert np.array_equal(prepared, mask(0, 1, 255, 2))
    assert [(c.index, c.name, c.value) for c in bench.prepared.classes] == [
        (0, "a", 0),
        (1, "b", 128),
        (2, "c", 255),
    ]


def test_the_ignored_value_may_be_any_without_names(bench: Bench) -> None:
    assert found(bench, mask(0, 1, 11), mask(0, 1, 11), ignore_value=11) == {0: "background", 1: "class_1"}


def test_values_outside_the_classes_are_named_per_file(bench: Bench) -> None:
    files = folders([mask(0, 1), mask(0, 1, 9), mask(0, 7)])
    result = bench.run(files, classes={0: "a", 1: "b"})
    assert named(result.problems) == [
        ("unknown_value", "masks/1.png"),
        ("unknown_value", "masks/2.png"),
    ]
    assert "9 (16 pixels)" in result.problems[0].message


def test_a_class_that_never_occurs_is_a_warning(bench: Bench) -> None:
    result = bench.run(folders([mask(0, 1), mask(1, 0)]), classes={0: "a", 1: "b", 2: "c"})
    assert codes(result, "warning") == ["class_absent"]
    assert result.summary is not None
    assert [(info.pixels, info.images) for info in result.summary.classes] == [(48, 2), (48, 2), (0, 0)]


@pytest.mark.parametrize("options", [{}, {"classes": {0: "a", 5: "b"}}, {"ignore_value": 5}])
def test_one_value_everywhere_is_an_error(bench: Bench, options: dict[str, Any]) -> None:
    assert codes(bench.run(folders([mask(5), mask(5)]), **options)) == ["single_value"]


def test_more_classes_than_indices_are_an_error(bench: Bench) -> None:
    full = mask(*range(256), height=256)
    names = {value: f"n{value}" for value in range(256)}
    assert codes(bench.run(folders([full, full]), classes=names)) == ["too_many_classes"]


def soft_mask() -> tuple[Array, Array]:
    """A mask of 0 and 255, and the same with one row of edges smoothed."""
    hard = np.zeros((40, 40), np.uint8)
    hard[20:] = 255
    soft = hard.copy()
    soft[19, :] = np.arange(40) * 6
    return hard, soft


def test_soft_edges_are_made_hard_with_a_warning_that_names_the_file(bench: Bench) -> None:
    hard, soft = soft_mask()
    result = bench.run(folders([hard, soft]))
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("warning", "mask_soft_edges", "masks/1.png")
    ]
    assert np.array_equal(bench.arrays()["1"][1], soft >= 128)
    assert result.summary is not None
    assert [info.pixels for info in result.summary.classes] == [(hard == 0).sum() + (soft < 128).sum(), 1618]


def test_soft_edges_beside_more_classes_are_an_error(bench: Bench) -> None:
    hard, soft = soft_mask()
    grey = np.resize(np.array([0, 128, 255], np.uint8), (40, 40))
    result = bench.run(folders([hard, soft, grey]))
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("error", "mask_soft_edges", "masks/1.png")
    ]


def test_classes_json_names_colours_and_ignores(bench: Bench) -> None:
    about = {
        "classes": [{"id": 3, "name": "road", "color": [1, 2, 3]}, {"id": 0, "name": "sky"}],
        "ignore_index": 9,
    }
    files = {f"top/{name}": data for name, data in folders([mask(0, 3, 9), mask(0, 3)]).items()}
    result = bench.run({**files, "top/classes.json": json.dumps(about).encode()})
    assert result.summary is not None, result.problems
    assert [(c.name, c.value) for c in result.summary.classes] == [("sky", 0), ("road", 3)]
    assert result.summary.classes[1].color == (1, 2, 3)
    assert result.summary.ignore_share == pytest.approx(16 / 96)


def test_the_client_outranks_classes_json(bench: Bench) -> None:
    files = folders([mask(0, 1), mask(0, 1)], **{"classes.json": b"{}"})
    result = bench.run(files, classes={0: "x", 1: "y"})
    assert result.summary is not None
    assert [info.name for info in result.summary.classes] == ["x", "y"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"classes": 3}',
        '{"classes": [{"id": 0, "name": 5}]}',
        '{"classes": [{"id": 0, "name": "a"}, {"id": 0, "name": "b"}]}',
        '{"classes": [{"id": 256, "name": "a"}]}',
        '{"classes": [{"id": 0, "name": "a", "color": [1, 2]}]}',
        '{"classes": [{"id": 0, "name": "a"}], "ignore_index": true}',
        "[" * 100_000,
        "\xff",
    ],
)
def test_a_broken_classes_json_is_left_out_with_a_warning(bench: Bench, text: str) -> None:
    files = folders([mask(0, 1), mask(0, 1)], **{"classes.json": text.encode("latin-1")})
    result = bench.run(files)
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("warning", "classes_file", "classes.json")
    ]
    assert not any(word in result.problems[0].message for word in ("Error", "line 1", "codec"))
    assert result.summary is not None
    assert [info.name for info in result.summary.classes] == ["background", "class_1"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"classes": {0: "a", 1: "b"}, "ignore_value": 1}, "ignore_is_class"),
        ({"classes": {0: "a", 1: "a"}}, "classes_names"),
        ({"classes": {0: "a", 300: "b"}}, "classes_range"),
        ({"classes": {}}, "classes_range"),
    ],
)
def test_contradictory_classes_are_an_error(bench: Bench, options: dict[str, Any], code: str) -> None:
    assert codes(bench.run(folders([mask(0, 1), mask(0, 1)]), **options)) == [code]


def test_colours_differ(bench: Bench) -> None:
    result = bench.run(folders([mask(*range(60), height=60), mask(0, 1)]), objects="classes")
    assert result.summary is not None
    colors = [info.color for info in result.summary.classes]
    assert len(set(colors)) == 60
    assert colors[0] == (0, 0, 0)
    assert all(0 <= part <= 255 for color in colors for part in color)


def test_the_pictures_of_a_refused_set_are_all_looked_at(bench: Bench) -> None:
    files = folders([mask(0, 1), mask(0, 1), mask(0, 1)])
    files["images/0.png"] = b"broken"
    files["masks/1.png"] = encoded(mask(0, 128), "JPEG")
    files["masks/2.png"] = encoded(mask(0, 1, height=3))
    result = bench.run(files)
    assert [(p.code, p.file) for p in result.problems if p.severity == "error"] == [
        ("image_unknown", "images/0.png"),
        ("mask_jpeg", "masks/1.png"),
        ("mask_size", "masks/2.png"),
    ]
