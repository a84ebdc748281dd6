"""Masks of one set, written in two ways: read as one where that is certain, else asked about or refused."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Bench, codes, encoded, photo
from workers.ingest.masks.rescaled import rescaled
from workers.prepared.version import Uint8

COLORS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
PALETTE = [int(channel) for color in COLORS for channel in color]
GREYS = [channel for value in range(256) for channel in (value * 85 % 256,) * 3]


def shapes(seed: int) -> Uint8:
    """A mask of the ids 0 to 3, (48, 64)."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((48, 64), np.uint8)
    for value in (1, 2, 3):
        y, x = rng.integers(0, 30), rng.integers(0, 44)
        mask[y : y + 15, x : x + 14] = value
        mask[value * 12 : value * 12 + 8, 60:] = value
    return mask


def paletted(mask: Uint8, palette: list[int]) -> bytes:
    image = Image.fromarray(mask)
    image.putpalette(palette)
    return encoded(image)


WRITTEN: dict[str, Callable[[Uint8], bytes]] = {
    "ids": encoded,
    "greys": lambda mask: encoded(mask * 85),
    "wide ids": lambda mask: encoded(mask.astype(np.uint16)),
    "thousands": lambda mask: encoded(mask.astype(np.uint16) * 1000),
    "wide greys": lambda mask: encoded(mask.astype(np.uint16) * 85 * 257),
    "jpeg": lambda mask: cv2.imencode(".jpg", mask * 85)[1].tobytes(),
    "palette": lambda mask: paletted(mask, PALETTE),
    "grey palette": lambda mask: paletted(mask, GREYS),
    "grey rgb": lambda mask: encoded(np.repeat(mask[..., None] * 85, 3, axis=2)),
    "colors": lambda mask: encoded(COLORS[mask]),
    "white": lambda mask: encoded((mask > 0) * np.uint8(255)),
}


def mixed(one: str, other: str, masks: int = 6) -> dict[str, bytes]:
    files = {}
    for number in range(masks):
        files[f"images/i{number}.png"] = encoded(photo(number, 48, 64))
        files[f"masks/i{number}.png"] = WRITTEN[one if number % 2 else other](shapes(number))
    return files


SAME = ["ids", "wide ids", "palette"], ["greys", "wide greys", "jpeg", "grey rgb"]


@pytest.mark.parametrize(
    ("one", "other"),
    [(one, other) for group in SAME for at, one in enumerate(group) for other in group[at + 1 :]],
)
def test_two_ways_of_writing_the_same_numbers_are_one(bench: Bench, one: str, other: str) -> None:
    result = bench.run(mixed(one, other))
    assert result.summary is not None
    assert [found.images for found in result.summary.classes] == [6, 6, 6, 6]
    truth = [float(np.mean([(shapes(seed) == value).mean() for seed in range(6)])) for value in range(4)]
    assert [found.share for found in result.summary.classes] == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize(
    ("one", "other"), [("ids", "greys"), ("wide ids", "grey rgb"), ("ids", "wide greys"), ("greys", "ids")]
)
def test_ids_beside_greys_are_asked_about(bench: Bench, one: str, other: str) -> None:
    files = mixed(one, other)
    (question,) = bench.run(files).questions
    assert (question.code, [one.key for one in question.choices]) == ("mask_scales", ["same", "classes"])
    for choice, count in zip(question.choices, (4, 7), strict=True):
        answered = bench.run(files, label_map={int(k): v for k, v in choice.options["label_map"].items()})
        assert answered.summary is not None
        assert len(answered.summary.classes) == count


@pytest.mark.parametrize("one", ["ids", "wide ids"])
def test_white_that_stands_in_no_mask_beside_an_id_is_asked_about(bench: Bench, one: str) -> None:
    files = mixed(one, "white")
    (question,) = bench.run(files).questions
    assert (question.code, [one.key for one in question.choices]) == ("white_values", ["ignored", "class"])
    for choice, classes in zip(question.choices, (4, 5), strict=True):
        answered = bench.run(files, label_map={int(k): v for k, v in choice.options["label_map"].items()})
        assert answered.summary is not None
        assert len(answered.summary.classes) == classes
        assert (answered.summary.ignore_share > 0) == (choice.key == "ignored")


def test_one_grey_in_some_masks_and_another_in_the_rest_is_asked_about(bench: Bench) -> None:
    files = mixed("white", "white")
    for number in range(3):
        files[f"masks/i{number}.png"] = encoded((shapes(number) > 0) * np.uint8(128))
    (question,) = bench.run(files).questions
    assert question.code == "mask_scales"
    for choice, classes in zip(question.choices, (2, 3), strict=True):
        answered = bench.run(files, label_map={int(k): v for k, v in choice.options["label_map"].items()})
        assert answered.summary is not None
        assert len(answered.summary.classes) == classes


def by_table(one: list[int], other: list[int]) -> dict[str, bytes]:
    """Masks whose ids 0 to 3 are written as these values, in turns."""
    tables = np.array(other, np.uint8), np.array(one, np.uint8)
    files = {}
    for number in range(6):
        files[f"images/i{number}.png"] = encoded(photo(number, 48, 64))
        files[f"masks/i{number}.png"] = encoded(tables[number % 2][shapes(number)])
    return files


@pytest.mark.parametrize(
    ("one", "other", "greys"),
    [
        ([0, 1, 1, 1], [0, 85, 170, 255], [255, 170, 85]),
        ([0, 1, 1, 1], [0, 64, 128, 192], [192, 128, 64]),
        ([0, 1, 1, 1], [0, 128, 128, 255], [255, 128]),
        ([0, 1, 1, 1], [0, 128, 128, 128], [128]),
        ([0, 2, 2, 2], [0, 85, 170, 255], [255, 170, 85]),
        ([0, 0, 3, 3], [0, 100, 200, 200], [200, 100]),
    ],
    ids=str,
)
def test_one_id_alone_beside_greys_is_asked_about(
    bench: Bench, one: list[int], other: list[int], greys: list[int]
) -> None:
    files = by_table(one, other)
    (question,) = bench.run(files).questions
    assert question.code == "mask_scales"
    assert [choice.key for choice in question.choices] == [*(f"same_as_{grey}" for grey in greys), "classes"]
    for choice, classes in zip(
        question.choices, [*(len(greys) + 1 for _ in greys), len(greys) + 2], strict=True
    ):
        answered = bench.run(files, label_map={int(k): v for k, v in choice.options["label_map"].items()})
        assert answered.summary is not None
        assert len(answered.summary.classes) == classes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([0, 10, 10, 10], [0, 20, 30, 40]),
        ([0, 1, 1, 1], [0, 1, 2, 3]),
        ([0, 1, 1, 1], [0, 2, 3, 4]),
        ([0, 50, 50, 50], [0, 100, 150, 200]),
        ([0, 255, 255, 255], [0, 85, 170, 85]),
    ],
    ids=str,
)
def test_values_that_go_on_from_each_other_are_classes(
    bench: Bench, one: list[int], other: list[int]
) -> None:
    result = bench.run(by_table(one, other))
    assert result.summary is not None
    assert len(result.summary.classes) == len({*one, *other})


@pytest.mark.parametrize("value", [1, 3, 40])
def test_one_id_and_white_alone_is_asked_about(bench: Bench, value: int) -> None:
    files = by_table([value, value, value, 255], [value, value, 255, value])
    (question,) = bench.run(files).questions
    assert (question.code, [choice.key for choice in question.choices]) == (
        "white_values",
        ["class", "background"],
    )
    for choice in question.choices:
        answered = bench.run(files, label_map={int(k): v for k, v in choice.options["label_map"].items()})
        assert answered.summary is not None
        assert len(answered.summary.classes) == 2


REFUSED = {
    "mask_values_range": [
        ("thousands", "ids"), ("thousands", "wide ids"), ("thousands", "white"), ("thousands", "palette"),
        ("thousands", "wide greys"), ("thousands", "grey rgb"),
    ],
    "mask_jpeg": [("jpeg", "ids"), ("jpeg", "palette"), ("jpeg", "wide ids")],
    "masks_mixed": [
        ("colors", "ids"), ("colors", "greys"), ("colors", "thousands"), ("colors", "jpeg"),
        ("colors", "grey palette"), ("palette", "grey palette"), ("colors", "grey rgb"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "one", "other"), [(code, *pair) for code, pairs in REFUSED.items() for pair in pairs]
)
def test_what_no_option_settles_is_refused(bench: Bench, code: str, one: str, other: str) -> None:
    result = bench.run(mixed(one, other))
    assert (set(codes(result)), result.questions) == ({code}, ())


def test_a_grey_class_of_colored_masks_stands_alone_in_some(bench: Bench) -> None:
    grey = np.array([[0, 0, 0], [128, 128, 128], [0, 255, 0], [0, 0, 255]], np.uint8)
    files = mixed("colors", "colors")
    for number in range(6):
        mask = shapes(number)
        files[f"masks/i{number}.png"] = encoded(grey[np.where(mask == 1, 1, 0) if number % 2 else mask])
    result = bench.run(files)
    assert result.summary is not None
    assert len(result.summary.classes) == 4


@pytest.mark.parametrize(
    ("masks", "found"),
    [
        ([{0, 1, 2, 3}, {0, 85, 170, 255}], {85: 1, 170: 2, 255: 3}),
        ([{0, 1, 2, 3}, {0, 1}, {50, 100}], {50: 1, 100: 2}),
        ([{10, 20, 30}, {85, 170, 255}], {85: 10, 170: 20, 255: 30}),
        ([{0, 1, 2, 3, 85}, {0, 85, 170, 255}], {}),
        ([{1}, {2}, {3}, {4}, {5}, {6}], {}),
        ([{0, 1, 2}, {0, 255}], {}),
        ([{0.5, 1}, {2, 4}], {}),
        ([set(), {0}], {}),
    ],
)
def test_factors_between_masks(masks: list[set[float]], found: dict[int, int]) -> None:
    assert rescaled(masks) == found
