"""Masks of one class that some files of a set write as 1 and others as 255."""

from typing import Any

import numpy as np
import pytest

from tests.ingest.made import SIDE, Bench, codes, drawn, encoded, photo
from tests.ingest.scenes import answers, classes, names_of, upload_of


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


@pytest.mark.parametrize("values", [(1, 2), (1, 2, 3), (2, 5)])
def test_white_around_ids_may_be_the_background(bench: Bench, values: tuple[int, ...]) -> None:
    scenes = [classes(values, 2, seed) for seed in range(6)]
    masks = [np.where(one > 0, one, 255).astype(np.uint8) for one in scenes]
    uploaded = upload_of(map(encoded, masks), scenes)
    results = answers(bench, uploaded)
    assert set(names_of(results["background"])) == {0, *values}
    assert set(names_of(results["ignored"])) == set(values)
    assert bench.run(uploaded, ignore_value=255).questions == ()


def test_white_beside_ids_and_a_background_is_ignored(bench: Bench) -> None:
    scenes = [classes((1, 2), 2, seed) for seed in range(6)]
    for one in scenes:
        one[:8] = 255
    assert set(names_of(bench.run(upload_of(map(encoded, scenes), scenes)))) == {0, 1, 2}
