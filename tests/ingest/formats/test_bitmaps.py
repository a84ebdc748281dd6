"""Bitmaps in annotations unpack within bounds."""

import numpy as np
import pytest

from tests.ingest.made import encoded
from workers.ingest.pictures.limits import MAX_DRAWN_PIXELS
from workers.ingest.problems import Refused
from workers.ingest.regions.bitmaps import Budget, from_picture, from_runs

CORNER = np.array([1, 3], np.int64)


def test_the_sum_of_all_bitmaps_is_bounded() -> None:
    budget = Budget(pixels=9)
    for _ in range(2):
        assert from_runs(1, CORNER, (2, 2), 0, 0, budget).area == 3
    with pytest.raises(Refused) as refusal:
        from_runs(1, CORNER, (2, 2), 0, 0, budget)
    assert refusal.value.problem_code == "regions_too_many"


def test_pictures_count_with_their_empty_margins() -> None:
    with pytest.raises(Refused) as refusal:
        from_picture(1, encoded(np.zeros((4, 4), np.uint8)), 0, 0, Budget(pixels=15))
    assert refusal.value.problem_code == "regions_too_many"


@pytest.mark.parametrize("size", [(0, 4), (-2, -2), (MAX_DRAWN_PIXELS, 2)])
def test_boxes_are_of_sizes_that_pictures_have(size: tuple[int, int]) -> None:
    with pytest.raises(Refused) as refusal:
        from_runs(1, CORNER, size, 0, 0, Budget())
    assert refusal.value.problem_code == "bitmap_broken"


@pytest.mark.parametrize("runs", [[], [1, 2], [1, 4], [5, -1], [2**62, 2**62, 2**62, 2**62]])
def test_runs_fill_their_box(runs: list[int]) -> None:
    with pytest.raises(Refused) as refusal:
        from_runs(1, np.array(runs, np.int64), (2, 2), 0, 0, Budget())
    assert refusal.value.problem_code == "bitmap_broken"
