"""The label map that is proposed where masks do not have the values of the named classes."""

import numpy as np
import pytest

from tests.ingest.made import Bench, codes, folders, mask
from trainyard.datasets.record import Problem

CITYSCAPES = tuple(range(19))
LOOKED_FOR = "Send the proposed label map if it is what the values mean: "


def unknown(problems: tuple[Problem, ...]) -> Problem:
    return next(problem for problem in problems if problem.code == "unknown_value")


@pytest.mark.parametrize(
    ("values", "classes", "proposed"),
    [
        pytest.param((0, 255), (0, 1), {255: 1}, id="binary"),
        pytest.param((0, 128, 255), (0, 1, 2), {128: 1, 255: 2}, id="grey codes"),
        pytest.param((1, 2, 3), (0, 1, 2), {1: 0, 2: 1, 3: 2}, id="trimap"),
        pytest.param((0, 1, 2), (1, 2, 3), {0: None}, id="unlabelled"),
        pytest.param(tuple(range(1, 13)), tuple(range(12)), {v: v - 1 for v in range(1, 13)}, id="1 to n"),
        pytest.param((0, 2, 5), (0, 1, 2), {2: 1, 5: 2}, id="gaps"),
        pytest.param((1, 2, 255), (0, 1), {1: 0, 2: 1, 255: None}, id="void"),
        pytest.param((0, 1, 255), (0, 1, 2), {255: None}, id="void, not the absent class"),
        pytest.param((0, 1, 9), (0, 1), {9: None}, id="one stray"),
        pytest.param((3, 11, 14, 16, 19), CITYSCAPES, {19: None}, id="few train ids"),
        pytest.param((*range(7), *range(8, 20)), CITYSCAPES, {19: None}, id="as many train ids"),
        pytest.param((*range(18), 19), CITYSCAPES, {19: None}, id="the last absent"),
    ],
)
def test_it_makes_the_set_fit(
    bench: Bench, values: tuple[int, ...], classes: tuple[int, ...], proposed: dict[int, int | None]
) -> None:
    files = folders([mask(*values), mask(*values[::-1])])
    options = {"classes": {value: f"c{value}" for value in classes}}
    result = bench.run(files, **options)
    assert result.proposed_label_map == proposed
    assert unknown(result.problems).remedy.startswith(LOOKED_FOR)
    assert codes(bench.run(files, **options, label_map=proposed)) == []


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        pytest.param((40, 50, 60, 70, 80), (0, 1), id="other codes"),
        pytest.param((1, 3), (0, 1, 2), id="fewer, shifted or not"),
        pytest.param((1, 2, 3), (0, 1), id="trimap for two"),
        pytest.param((0, 1, 2), (0, 1), id="a second object, or void"),
        pytest.param((0, 128, 255), (0, 1), id="grey codes for two"),
        pytest.param((0, 1, 2, 3), (0, 1), id="as many unnamed as named"),
        pytest.param((*range(12), 20, 21, 22, 23), CITYSCAPES, id="many stray"),
    ],
)
def test_none_is_better_than_a_guess(bench: Bench, values: tuple[int, ...], classes: tuple[int, ...]) -> None:
    files = folders([mask(*values), mask(*values[::-1])])
    result = bench.run(files, classes={value: f"c{value}" for value in classes})
    assert result.proposed_label_map is None
    assert "No label map is proposed" in unknown(result.problems).remedy


def test_there_is_none_where_all_fits(bench: Bench) -> None:
    result = bench.run(folders([mask(0, 1), mask(1, 0)]), classes={0: "a", 1: "b"})
    assert codes(result) == []
    assert result.proposed_label_map is None


def test_the_remedy_tells_what_each_value_counts_as(bench: Bench) -> None:
    result = bench.run(folders([mask(1, 2, 255), mask(2, 1, 255)]), classes={0: "a", 1: "b"})
    assert unknown(result.problems).remedy == (
        f"{LOOKED_FOR}1 counts as 0, 2 counts as 1, 255 is ignored. "
        "Else name them as classes or as the value to ignore; the classes are 0, 1."
    )


def test_a_proposal_takes_the_place_of_the_map_before(bench: Bench) -> None:
    files = folders([mask(0, 5, 9), mask(0, 5, 9)])
    options = {"classes": {0: "a", 1: "b"}}
    result = bench.run(files, **options, label_map={5: 3, 9: None})
    assert result.proposed_label_map == {5: 1, 9: None}


def test_smoothed_masks_of_named_classes_fit_with_the_proposal(bench: Bench) -> None:
    soft = np.zeros((40, 40), np.uint8)
    soft[20:] = 255
    soft[19] = np.arange(40) * 6
    files = folders([soft, soft.T.copy()])
    options = {"classes": {0: "ground", 1: "thing"}}
    proposed = bench.run(files, **options).proposed_label_map
    assert proposed is not None
    assert codes(bench.run(files, **options, label_map=proposed)) == []
    assert np.array_equal(bench.arrays()["0"][1], soft >= 128)
