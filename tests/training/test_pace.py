"""The time left, from a made clock."""

import pytest

from workers.training.engine.eta import UNSURE, Duration, Pace, spread

BATCHES, VAL = 100, 20


def trained(pace: Pace, now: float, seconds: list[float], tail: float) -> float:
    """One epoch whose batches take these seconds; returns the time at its end."""
    pace.begin_epoch(now, BATCHES)
    for one in seconds:
        now += one
        pace.end_batch(now)
    return now + tail


def left(pace: Pace, now: float, batches_left: int = 0, epochs_after: int = 10) -> Duration:
    found = pace.left(now, batches_left, epochs_after, BATCHES, VAL)
    assert found
    assert 0 <= found.low <= found.likely <= found.high
    return found


def test_nothing_is_known_before_the_first_batch():
    pace = Pace()
    assert pace.left(0, BATCHES, 9, BATCHES, VAL) is None
    pace.begin_epoch(0, BATCHES)
    assert pace.left(5, BATCHES, 9, BATCHES, VAL) is None


def test_one_batch_gives_a_wide_range():
    pace = Pace()
    pace.begin_epoch(0, BATCHES)
    pace.end_batch(2)
    found = left(pace, 2, BATCHES - 1, 9)
    assert found.likely == pytest.approx(2 * (9 * (BATCHES + VAL) + BATCHES - 1 + VAL))
    assert found.low == pytest.approx(found.likely * (1 - UNSURE))
    assert found.high == pytest.approx(found.likely * (1 + UNSURE))


def test_whole_epochs_count_with_their_validation_and_checkpoints():
    pace, now = Pace(), 0.0
    for _ in range(4):
        now = trained(pace, now, [1.0] * BATCHES, tail=30)
    pace.begin_epoch(now, BATCHES)
    found = left(pace, now, BATCHES, 10)
    assert found.likely == pytest.approx(11 * 130)
    assert found.high - found.low < 2 * UNSURE * found.likely, "four epochs tell more than one"


def test_in_the_tail_only_its_rest_is_left():
    pace = Pace()
    now = trained(pace, 0, [1.0] * BATCHES, tail=30)
    end = trained(pace, now, [1.0] * BATCHES, tail=0)
    assert left(pace, end + 10, 0, 0).likely == pytest.approx(20)
    assert left(pace, end + 99, 0, 0) == Duration(low=0, likely=0, high=0)


def test_one_stalled_epoch_moves_the_end_little():
    pace, now = Pace(), 0.0
    for epoch in range(10):
        now = trained(pace, now, [1.0] * BATCHES, tail=3000 if epoch == 5 else 30)
    pace.begin_epoch(now, BATCHES)
    found = left(pace, now, BATCHES, 10)
    assert found.likely == pytest.approx(11 * 130)
    assert found.high < 5 * found.likely


def test_one_stalled_batch_moves_the_end_little():
    pace = Pace()
    trained(pace, 0, [1.0] * 50 + [600.0] + [1.0] * 49, tail=0)
    assert left(pace, 699, 0, 1).likely == pytest.approx(120 + 20, rel=0.01)


def test_slow_batches_that_come_regularly_count():
    pace = Pace()
    now = trained(pace, 0, [6.0 if i % 5 == 0 else 1.0 for i in range(BATCHES)], tail=0)
    assert left(pace, now, 0, 1).likely == pytest.approx((BATCHES + 2 * VAL) * 2.0)


def test_epochs_of_differing_length_widen_the_range():
    pace, now = Pace(), 0.0
    for epoch in range(10):
        now = trained(pace, now, [1.0 + epoch % 2] * BATCHES, tail=0)
    pace.begin_epoch(now, BATCHES)
    found = left(pace, now, BATCHES, 100)
    assert found.low < 1.1 * 100 * BATCHES
    assert found.high > 1.9 * 100 * BATCHES


def test_an_epoch_begun_in_its_middle_is_no_measure_of_epochs():
    pace = Pace()
    now = trained(pace, 0, [1.0] * 5, tail=20)
    pace.begin_epoch(now, BATCHES)
    assert left(pace, now, BATCHES, 1).likely == pytest.approx(2 * 120)


def test_the_present_speed_replaces_that_of_long_ago():
    pace, now = Pace(), 0.0
    for epoch in range(20):
        now = trained(pace, now, [10.0 if epoch < 10 else 1.0] * BATCHES, tail=0)
    assert left(pace, now, 0, 10).likely < 1.5 * 10 * BATCHES


def test_a_spread_is_wider_with_fewer_samples():
    widths = [spread([1.0] * count) for count in (1, 4, 100)]
    assert [one.likely for one in widths] == [1.0] * 3
    assert [round(one.high - one.low, 3) for one in widths] == [0.5, 0.25, 0.05]


def test_epochs_that_are_not_validated_take_less():
    pace, now = Pace(), 0.0
    for epoch in range(1, 9):
        pace.begin_epoch(now, BATCHES, validated=epoch % 4 == 1 and epoch > 1)
        for _ in range(BATCHES):
            now += 1.0
            pace.end_batch(now)
        now += 40.0 if epoch % 4 == 0 else 2.0
    pace.begin_epoch(now, BATCHES, validated=True)
    found = pace.left(now, BATCHES, 7, BATCHES, VAL, validated=False, not_validated=5)
    assert found
    assert found.likely == pytest.approx(6 * 102 + 2 * 140)
