"""Values in a few pixels beside clear levels are asked about, and never classes in silence."""

import io
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


Change = Callable[[Array, int], Array]


def added(most: int, share: float = 1.0) -> Change:
    """Noise of at most so much, in this share of the pixels."""

    def changed(mask: Array, seed: int) -> Array:
        random = np.random.default_rng(seed)
        noise = random.integers(-most, most + 1, mask.shape) * (random.random(mask.shape) < share)
        return (mask.astype(int) + noise).clip(0, 255).astype(np.uint8)

    return changed


def shifted(mask: Array, seed: int) -> Array:
    """All but black a little darker in every other file."""
    return mask - (mask > 0) * np.uint8(seed % 2)


def moved(mask: Array, seed: int) -> Array:
    """Each level moved in each file by an amount of its own."""
    table = np.arange(256) + np.random.default_rng(seed).integers(-2, 3, 256)
    return table.clip(0, 255).astype(np.uint8)[mask]


def compressed(mask: Array, seed: int) -> Array:
    """Once saved as JPEG, and now as something else."""
    return np.asarray(Image.open(io.BytesIO(encoded(mask, "JPEG", quality=85 + seed))))


CHANGES: dict[str, Change] = {
    "noise of 1": added(1),
    "noise of 3": added(3),
    "noise in a tenth": added(3, 0.1),
    "every other file darker": shifted,
    "levels moved": moved,
    "compressed": compressed,
}


@pytest.mark.variants(8)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("levels", ["grey", "codes"])
@pytest.mark.parametrize("named", [False, True])
def test_greys_about_clear_levels_are_asked_about(
    bench: Bench, levels: str, change: str, named: bool
) -> None:
    values = LEVELS[levels]
    masks = [CHANGES[change](mask, seed) for seed, mask in enumerate(clean(values))]
    names = {value: f"n{value}" for value in values}
    files = upload_of(map(encoded, masks), clean(values))
    results = answers(bench, files, **({"classes": names} if named else {}))
    assert next(iter(results)) == "nearest"
    assert len(names_of(results["nearest"])) == len(values)
    bench.run(files, on_question="assume")
    for name, (_, mask) in bench.arrays().items():
        assert (mask != np.searchsorted(values, clean(values)[int(name)])).mean() < 0.04


@pytest.mark.parametrize("black", [0, 1])
@pytest.mark.parametrize("white", [255, 254, 250])
def test_black_and_white_that_differ_among_files_are_asked_about(
    bench: Bench, black: int, white: int
) -> None:
    masks = [
        np.where(mask > 0, (255, white)[seed % 2], (0, black)[seed % 2]).astype(np.uint8)
        for seed, mask in enumerate(clean((0, 255)))
    ]
    if (black, white) == (0, 255):
        return
    results = answers(bench, upload_of(map(encoded, masks), clean((0, 255))))
    assert names_of(results["nearest"]) == {0: "background", 255: "foreground"}


@pytest.mark.parametrize(
    "levels", [(0, 1, 7, 200), (0, 100, 108, 116, 124), (0, 20, 40, 60, 80, 100, 120), (0, 240, 248, 255)]
)
def test_classes_of_near_greys_stay_classes(bench: Bench, levels: tuple[int, ...]) -> None:
    masks = [classes(levels[1:], 2, seed) for seed in range(6)]
    assert set(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == set(levels)


def test_many_rare_greys_beside_white_are_no_smoothed_edges(bench: Bench) -> None:
    masks = []
    for seed in range(6):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[5:60, 5 : 100 + seed] = 255
        for place in range(20):
            row, column = divmod(place, 10)
            mask[70 + 20 * row : 74 + 20 * row, 5 + 15 * column : 9 + 15 * column] = 10 + 10 * place
        masks.append(mask)
    assert len(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == 22


@pytest.mark.parametrize("quality", [95, 80, 50])
@pytest.mark.parametrize("levels", ["grey", "codes"])
def test_jpegs_of_clear_greys_are_read(bench: Bench, levels: str, quality: int) -> None:
    values = LEVELS[levels]
    masks = [encoded(mask, "JPEG", quality=quality) for mask in clean(values)]
    result = bench.run(upload_of(masks, clean(values), "jpg"))
    assert len(names_of(result)) == len(values)
    assert codes(result, "warning") == ["mask_jpeg"]
    assert "gather about 0, " in result.problems[0].message
    for name, (_, mask) in bench.arrays().items():
        assert (mask != np.searchsorted(values, clean(values)[int(name)])).mean() < 0.03


def test_jpegs_of_ids_are_refused(bench: Bench) -> None:
    masks = clean(LEVELS["ids"])
    result = bench.run(upload_of([encoded(mask, "JPEG") for mask in masks], masks, "jpg"))
    assert set(codes(result)) == {"mask_jpeg"}


@pytest.mark.parametrize(
    ("levels", "kind"),
    [
        ((0, 30000, 60000), np.uint16),
        ((0, 1000, 2000, 3000), np.uint16),
        ((0, 32768, 65535), np.uint16),
        ((0, 300), np.uint16),
        ((0, 0.5, 1), np.float32),
        ((0, 70000, 90000), np.int32),
    ],
)
def test_levels_of_other_numbers_are_classes_in_order(
    bench: Bench, levels: tuple[float, ...], kind: type[np.generic]
) -> None:
    drawn = [classes(range(1, len(levels)), 2, seed) for seed in range(6)]
    container = "PNG" if kind is np.uint16 else "TIFF"
    masks = [encoded(np.array(levels, kind)[mask], container) for mask in drawn]
    result = bench.run(upload_of(masks, drawn))
    named = {value: f"value_{level:g}" if value else "background" for value, level in enumerate(levels)}
    assert names_of(result) == named
    assert result.summary is not None
    assert result.summary.reading is not None
    assert any("counted from 0" in guess for guess in result.summary.reading.guesses)
    assert np.array_equal(bench.arrays()["003"][1], drawn[3])
    lists = upload_of(masks, drawn) | {
        "classes.txt": "\n".join(["background", *"abc"[: len(levels) - 1]]).encode()
    }
    assert list(names_of(bench.run(lists)).values())[1] == "a"


@pytest.mark.parametrize("background", [(1, 2), (0, 1, 2), (2, 3)])
def test_greys_that_each_file_has_changed_are_no_classes(bench: Bench, background: tuple[int, ...]) -> None:
    """Also where no file has a background of 0."""
    drawn = [classes((1, 2, 3), 2, seed) for seed in range(8)]
    masks = []
    for number, mask in enumerate(drawn):
        about = (background[number % len(background)], 88 + number % 4, 168 + number % 4, 254 + number % 2)
        masks.append(encoded(np.array(about, np.uint8)[mask]))
    results = answers(bench, upload_of(masks, drawn))
    assert set(results) >= {"nearest"}
    assert len(names_of(results["nearest"])) == 4


def test_few_pixels_of_one_beside_white_areas_are_asked_about(bench: Bench) -> None:
    in_all = clean(LEVELS["black and white"])
    for mask in in_all:
        mask[:3, :3] = 1
    for masks in (speckled(LEVELS["black and white"], *[1] * 9), in_all):
        results = answers(bench, upload_of(map(encoded, masks), masks))
        assert len(results) == 3
        assert names_of(next(iter(results.values()))) == {0: "background", 255: "foreground"}


@pytest.mark.parametrize("values", [(0, 100, 200), (0, 40, 80, 240)])
def test_smoothed_edges_between_greys_are_asked_about(bench: Bench, values: tuple[int, ...]) -> None:
    masks = [
        np.array(Image.fromarray(mask).resize((WIDTH // 2, HEIGHT // 2)).resize((WIDTH, HEIGHT), 2))
        for mask in clean(values)
    ]
    results = answers(bench, upload_of(map(encoded, masks), masks))
    assert list(results) == ["ignored", "nearest", "classes"]
    assert set(names_of(results["nearest"])) == set(values)
