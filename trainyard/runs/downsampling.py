"""Fewer points of a curve, so that its extremes stay."""

import itertools
import math
from collections.abc import Iterator, Sequence

Values = Sequence[float | None]


def extremes(values: Values, most: int) -> list[int]:
    """Which of the values to draw, as ascending positions: all of up to `most` (at least 4), else first and
    last, and of each of equal stretches between them the lowest and the highest.

    The lowest and the highest of all are always among them. A value that is no finite number is a gap: a
    stretch of nothing else keeps one. The method is that of min-max aggregation, see Jugel et al., M4: A
    Visualization-Oriented Time Series Data Aggregation, VLDB 2014.
    """
    if len(values) <= most:
        return list(range(len(values)))
    stretches = (most - 2) // 2
    inner = len(values) - 2
    bounds = [1 + inner * number // stretches for number in range(stretches + 1)]
    chosen = {0, len(values) - 1}
    for begin, end in itertools.pairwise(bounds):
        chosen.update(_lowest_and_highest(values, range(begin, end)))
    return sorted(chosen)


def _lowest_and_highest(values: Values, positions: range) -> Iterator[int]:
    finite = [(value, place) for place in positions if (value := _finite(values[place])) is not None]
    if not finite:
        yield positions.start
        return
    yield min(finite)[1]
    yield max(finite, key=lambda one: (one[0], -one[1]))[1]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
