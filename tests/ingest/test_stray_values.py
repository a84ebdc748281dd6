"""Values in a few pixels beside clear levels are asked about, and never classes in silence."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.scenes import HEIGHT, WIDTH, answers, classes, names_of, upload_of

LEVELS = {
    "grey": (0, 128, 255),
    "black and white": (0, 255),
    "codes": (0, 85, 170, 255),
    "ids": (0, 1, 2, 3),
}


def clean(levels: tuple[int, ...], images: int = 8) -> list[Array]:
    """Masks of the levels in pieces, all levels in each."""
    return [classes([value for value in levels if value], 2, seed) for seed in range(images)]


def speckled(levels: tuple[int, ...], *strays: int) -> list[Array]:
    masks = clean(levels)
    for place, value in enumerate(strays):
        masks[3][5, 5 + place] = value
    return masks


def noisy(levels: tuple[int, ...]) -> list[Array]:
    """As compression with loss leaves masks: values about the levels in some of the pixels."""
    random = np.random.default_rng(0)
    masks = []
    for mask in clean(levels):
        moved = mask.astype(int)
        some = random.random(mask.shape) < 0.03
        moved[some] += random.integers(-9, 10, int(some.sum()))
        masks.append(moved.clip(0, 255).astype(np.uint8))
    return masks


def paletted(mask: Array) -> bytes:
    image = Image.frombytes("P", (WIDTH, HEIGHT), mask.tobytes())
    image.putpalette(np.random.default_rng(1).integers(0, 256, 768, dtype=np.uint8).tolist())
    return encoded(image)


CONTAINERS: dict[str, Callable[[Array], bytes]] = {
    "png": encoded,
    "tiff": lambda mask: encoded(mask, "TIFF"),
    "16 bits": lambda mask: encoded(mask.astype(np.uint16)),
    "rgb": lambda mask: encoded(np.dstack([mask] * 3)),
    "palette": paletted,
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("levels", ["grey", "codes", "ids"])
def test_specks_are_asked_about(bench: Bench, levels: str, container: str) -> None:
    values = LEVELS[levels]
    masks = speckled(values, 20, 44, 71)
    files = upload_of(map(CONTAINERS[container], masks), masks)
    asked = bench.run(files)
    assert [question.code for question in asked.questions] == ["stray_values"]
    assert asked.proposed_label_map == {20: None, 44: None, 71: None}
    assert "20 (1 pixels)" in asked.questions[0].text
    assert asked.questions[0].choices[0].examples == ("masks/003.png",)
    results = answers(bench, files)
    assert list(results) == ["ignored", "nearest", "classes"]
    assert set(names_of(results["ignored"])) == set(names_of(results["nearest"])) == set(values)
    assert set(names_of(results["classes"])) == {*values, 20, 44, 71}
    assert codes(bench.run(files, label_map=asked.proposed_label_map)) == []
    assert (bench.arrays()["003"][1] == 255).sum() == 3


@pytest.mark.parametrize("levels", ["grey", "ids", "black and white"])
def test_specks_beside_named_classes_are_asked_about(bench: Bench, levels: str) -> None:
    masks = speckled(LEVELS[levels], 20, 44, 71, 99)
    files = upload_of(map(encoded, masks), masks)
    named = {value: f"n{value}" for value in LEVELS[levels]}
    results = answers(bench, files, classes=named)
    assert list(results) == ["ignored", "nearest"]
    assert names_of(results["ignored"]) == names_of(results["nearest"]) == named


def test_one_speck_in_a_set_of_two_levels(bench: Bench) -> None:
    masks = speckled(LEVELS["black and white"], 113)
    results = answers(bench, upload_of(map(encoded, masks), masks))
    assert names_of(results["nearest"]) == {0: "background", 255: "foreground"}


@pytest.mark.parametrize("levels", ["grey", "codes"])
def test_noise_belongs_to_the_nearest_level(bench: Bench, levels: str) -> None:
    values = LEVELS[levels]
    masks = noisy(values)
    results = answers(bench, upload_of(map(encoded, masks), masks))
    assert next(iter(results)) == "nearest"
    assert set(names_of(results["nearest"])) == set(values)
    bench.run(upload_of(map(encoded, masks), masks), on_question="assume")
    original = clean(values)
    for name, (_, mask) in bench.arrays().items():
        assert np.array_equal(mask, np.searchsorted(values, original[int(name)]))


@pytest.mark.parametrize("levels", LEVELS)
def test_clear_levels_are_not_asked_about(bench: Bench, levels: str) -> None:
    masks = clean(LEVELS[levels])
    assert set(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == set(LEVELS[levels])


@pytest.mark.parametrize("images", [1, 3, 8])
def test_a_small_class_is_one(bench: Bench, images: int) -> None:
    """Its objects are small, and few images have any, yet it is the id that comes next."""
    masks = clean(LEVELS["ids"])
    for mask in masks[:images]:
        mask[2:6, 2:6] = 4
    assert set(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == {0, 1, 2, 3, 4}


def test_what_is_said_to_be_ignored_is_no_stray(bench: Bench) -> None:
    masks = speckled(LEVELS["grey"], 9)
    result = bench.run(upload_of(map(encoded, masks), masks), ignore_value=9)
    assert set(names_of(result)) == {0, 128, 255}


@pytest.mark.parametrize("steps", [2, 3, 5])
def test_edges_smoothed_in_few_steps_are_asked_about(bench: Bench, steps: int) -> None:
    """Each pixel is drawn from a few: too few values for the edges to be told as soft."""
    masks = []
    for seed in range(6):
        hard = classes((1,), 6, seed)
        large = np.kron(hard, np.ones((steps, steps), np.uint8))
        moved = np.roll(large, (1, 1), (0, 1)).reshape(HEIGHT, steps, WIDTH, steps)
        masks.append((moved.mean(axis=(1, 3)) * 255).astype(np.uint8))
    results = answers(bench, upload_of(map(encoded, masks), masks))
    assert names_of(results["nearest"]) == {0: "background", 255: "foreground"}


def test_thick_levels_between_black_and_white_are_classes(bench: Bench) -> None:
    masks = clean(LEVELS["codes"])
    assert set(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == set(LEVELS["codes"])
