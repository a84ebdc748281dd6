"""A bucket of requests for each caller."""

import pytest

from app.http.access import rate_limit
from app.http.access.rate_limit import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_as_many_as_come_again():
    clock = Clock()
    limit = RateLimit(6, clock)
    assert [limit.wait_s("a") for _ in range(7)] == [0] * 6 + [10]
    assert limit.wait_s("b") == 0, "others are not held up"
    clock.now += 9.9
    assert limit.wait_s("a") == 1
    clock.now += 0.1
    assert [limit.wait_s("a") for _ in range(2)] == [0, 10]
    clock.now += 3600
    assert [limit.wait_s("a") for _ in range(7)] == [0] * 6 + [10], "no more than a minute's is saved up"


def test_no_limit():
    assert not any(RateLimit(0).wait_s("a") for _ in range(1000))


def test_callers_are_forgotten_in_the_order_they_came_last(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rate_limit, "MAX_CALLERS", 2)
    limit = RateLimit(1, Clock())
    assert [limit.wait_s(caller) for caller in "aba"] == [0, 0, 60]
    assert limit.wait_s("c") == 0
    assert limit.wait_s("a") == 60, "it came after b"
    assert limit.wait_s("b") == 0
