"""Waits of tests grow with how slow the machine is, also where it becomes so meanwhile."""

from collections.abc import Iterator

import pytest

from tests import waits
from tests.waits import FRESH_S, Limit, scaled, wait_for


class Clock:
    """Stands still until it is moved; the machine is as slow as it is told to be."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slow = 1.0

    def measured(self) -> float:
        return self.slow

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(waits, "time", clock)
    monkeypatch.setattr(waits, "slowness", clock.measured)
    return clock


def passed_after(limit: Limit, clock: Clock) -> float:
    begin = clock.now
    while not limit.has_passed:
        clock.sleep(0.5)
    return clock.now - begin


@pytest.mark.parametrize("slow", [1.0, 3.0, 10.0])
def test_a_limit_passes_as_much_later_as_the_machine_is_slower(clock: Clock, slow: float):
    clock.slow = slow
    assert passed_after(Limit(40), clock) == pytest.approx(40 * slow, abs=FRESH_S)
    assert scaled(40) == 40 * slow


def test_a_machine_that_gets_slower_or_faster_is_noticed(clock: Clock):
    limit = Limit(40)
    clock.sleep(20)
    assert not limit.has_passed
    clock.slow = 5.0
    clock.sleep(50)
    assert not limit.has_passed, "of the other half a half"
    clock.slow = 1.0
    assert passed_after(limit, clock) == pytest.approx(10, abs=1)


def test_what_is_soon_over_measures_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waits, "slowness", None)
    begin = clock.now
    assert wait_for(lambda: clock.now - begin, lambda waited: waited > 5) > 5


def test_the_last_reading_is_said(clock: Clock):
    with pytest.raises(AssertionError, match="still queued"):
        wait_for(lambda: "queued", lambda status: status == "running", seconds=3)


def test_the_machine_is_measured_and_no_faster_than_the_reference():
    assert waits.slowness() >= 1
