"""Values of masks are counted by their runs, or pixel by pixel; both come to the same."""

import numpy as np
import pytest

from workers.ingest.masks.objects.object_ids import one_piece, share_of_one_piece
from workers.ingest.reading import statistics
from workers.ingest.reading.statistics import count_values


def of_runs(shape: tuple[int, int], longest: int, values: int) -> np.ndarray:
    """A mask of runs of 1 to `longest` pixels, each of one of the first so many values or of 255."""
    chance = np.random.default_rng(longest)
    pixels: list[np.ndarray] = []
    while sum(map(len, pixels)) < shape[0] * shape[1]:
        value = chance.choice([*range(values), 255])
        pixels.append(np.full(chance.integers(1, longest + 1), value, np.uint8))
    return np.concatenate(pixels)[: shape[0] * shape[1]].reshape(shape)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (40, 37), (64, 100)])
@pytest.mark.parametrize("longest", [1, 4, 30, 5000])
@pytest.mark.parametrize("values", [1, 20])
@pytest.mark.parametrize("at_once", [50, 1 << 24])
def test_pixels_of_each_value_are_counted(shape, longest, values, at_once, monkeypatch):
    monkeypatch.setattr(statistics, "_COUNTED_AT_ONCE", at_once)
    mask = of_runs(shape, longest, values)
    found, counts = np.unique(mask, return_counts=True)
    assert count_values(mask) == dict(zip(found.tolist(), counts.tolist(), strict=True))


def pieces(whole: int, parted: int) -> np.ndarray:
    """A mask, (H, W) uint8, of so many values that are one piece, and so many that are two."""
    mask = np.zeros((4 * (whole + parted) + 2, 30), np.uint8)
    for value in range(1, whole + parted + 1):
        mask[4 * value : 4 * value + 2, 2:10] = value
        if value > whole:
            mask[4 * value : 4 * value + 2, 15:23] = value
    return mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
def test_values_of_one_piece_are_counted_in_any_depth(dtype):
    assert one_piece(pieces(5, 3).astype(dtype)) == (5, 8)


def test_masks_are_looked_at_until_the_answer_is_plain():
    drawn = []

    def masks(whole: int, parted: int):
        drawn.clear()
        for number in range(6):
            drawn.append(number)
            yield pieces(whole, parted)

    assert share_of_one_piece(masks(2, 18)) == 0.1
    assert len(drawn) == 2
    assert share_of_one_piece(masks(12, 8)) == 0.6
    assert len(drawn) == 6
    assert share_of_one_piece(iter(())) == 0.0
