"""Fewer points of a curve, none of its extremes lost."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard.runs.downsampling import extremes

VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=300)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(VALUES, st.integers(4, 60))
def test_ends_and_extremes_stay(values: list[float], most: int):
    chosen = extremes(values, most)
    assert chosen == sorted(set(chosen))
    assert len(chosen) <= max(most, 0)
    if len(values) <= most:
        assert chosen == list(range(len(values)))
        return
    assert (chosen[0], chosen[-1]) == (0, len(values) - 1)
    finite = [value for value in values if math.isfinite(value)]
    kept = [values[place] for place in chosen if math.isfinite(values[place])]
    if finite:
        assert (min(kept), max(kept)) == (min(finite), max(finite))


@pytest.mark.parametrize("spike", [1, 500, 998])
def test_a_spike_of_one_point_stays(spike: int):
    values = [0.0] * 1000
    values[spike] = 9.0
    assert spike in extremes(values, 20)


def test_a_stretch_without_numbers_stays_a_gap():
    values = [1.0] * 100 + [math.nan] * 100 + [1.0] * 100
    chosen = extremes(values, 20)
    assert any(100 <= place < 200 for place in chosen)
    assert len(chosen) <= 20


def test_points_are_spread_over_the_whole_curve():
    chosen = extremes([float(number) for number in range(10_000)], 100)
    assert max(b - a for a, b in itertools.pairwise(chosen)) <= 10_000 // 49 + 1
