"""Masks of one class that some files of a set write as 1 and others as 255."""

from typing import Any

import numpy as np
import pytest

from tests.ingest.made import SIDE, Bench, codes, drawn, encoded, photo


def files(
    values: list[int], images: str = "d/images/{}.png", masks: str = "d/masks/{}.png"
) -> dict[str, bytes]:
    made = {}
    for number, value in enumerate(values):
        made[images.format(number)] = encoded(photo(number, SIDE, SIDE))
        made[masks.format(number)] = encoded(drawn(number, value))
    return made


@pytest.mark.parametrize("values", [[1, 255] * 4, [255] + [1] * 7, [1] + [255] * 7], ids=str)
@pytest.mark.parametrize("masks", ["d/masks/{}.png", "d/images/{}_mask.png"])
@pytest.mark.parametrize("classes", [None, {0: "background", 1: "cell"}, {0: "background", 255: "cell"}])
def test_white_beside_masks_of_ones_is_asked_about(
    bench: Bench, values: list[int], masks: str, classes: dict[int, str] | None
) -> None:
    options: dict[str, Any] = {} if classes is None else {"classes": classes}
    made = files(values, masks=masks)
    [question] = bench.run(made, **options).questions
    assert question.code == "white_values"
    same, ignored = question.choices
    assert same.preview
    value, other = (1, 255) if classes and 255 in classes else (255, 1)
    assert (same.options, ignored.options) == (
        {"label_map": {str(value): other}},
        {"label_map": {str(value): None}},
    )
    assert same.count == values.count(value)
    found = bench.run(made, **options, label_map={value: other}).summary
    assert found is not None
    assert [one.images for one in found.classes] == [8, 8]
    for number, (_, mask) in enumerate(bench.arrays().values()):
        np.testing.assert_array_equal(mask > 0, drawn(number, 1) > 0)
    assert bench.run(made, **options, label_map={value: None}).summary is not None


def test_white_in_masks_that_have_ones_is_void(bench: Bench) -> None:
    made = files([1] * 6)
    both = drawn(1, 1)
    both[:4] = 255
    made["d/masks/1.png"] = encoded(both)
    result = bench.run(made)
    assert result.questions == ()
    assert "ignore_guessed" in {problem.code for problem in result.problems}


@pytest.mark.parametrize(
    "options", [{"ignore_value": 255}, {"classes": {0: "no", 1: "cat", 255: "dog"}}], ids=str
)
def test_what_the_client_says_of_white_is_not_asked_about(bench: Bench, options: dict[str, Any]) -> None:
    result = bench.run(files([1, 255] * 4), **options)
    assert result.questions == ()
    assert codes(result) == []
