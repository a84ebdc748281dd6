"""Why a run waits and for how long, as pure functions."""

import math

import pytest

from trainyard.scheduling.waiting import (
    MESSAGES,
    NOW,
    UNKNOWN,
    Reason,
    Span,
    later,
    predicted_wait,
    reason_to_wait,
)

DURATION = Span(earliest=100, latest=200)


def span(earliest: float, latest: float) -> Span:
    return Span(earliest=earliest, latest=latest)


@pytest.mark.parametrize(
    ("differs", "reason"),
    [
        ({}, Reason.STARTING),
        ({"position": 2}, Reason.RUNS_BEFORE),
        ({"idle": 0}, Reason.WORKERS_BUSY),
        ({"idle": 0, "position": 2}, Reason.RUNS_BEFORE),
        ({"is_over_limit": True, "position": 3}, Reason.PROJECT_LIMIT),
        ({"serving": 0, "idle": 0, "is_over_limit": True}, Reason.NO_WORKER),
        ({"serving": 0, "idle": 0, "able": 0}, Reason.NO_WORKER),
        ({"able": 0, "idle": 0, "is_over_limit": True}, Reason.TOO_FEW_DEVICES),
        ({"able": 1}, Reason.STARTING),
        ({"serving": 0, "idle": 0, "must_wait": True}, Reason.REDIS_RESTARTED),
    ],
)
def test_the_first_reason_that_applies_is_told(differs: dict[str, int], reason: Reason):
    plain = {"must_wait": False, "is_over_limit": False, "position": 1, "serving": 2, "idle": 1}
    assert reason_to_wait(**(plain | differs)) == reason
    assert MESSAGES.keys() == set(Reason)


def test_the_next_starts_when_the_first_slot_is_free():
    assert predicted_wait([span(50, 90), span(10, 300)], 0, UNKNOWN) == span(10, 90)
    assert predicted_wait([span(50, 90), NOW], 0, UNKNOWN) == NOW


def test_those_before_take_slots_and_time():
    slots = [span(50, 90), span(10, 300)]
    assert predicted_wait(slots, 1, DURATION) == span(50, 290)
    assert predicted_wait(slots, 2, DURATION) == span(110, 300)
    assert predicted_wait([NOW], 3, DURATION) == span(300, 600)


def test_what_is_not_known_leaves_the_end_open():
    assert predicted_wait([UNKNOWN], 0, DURATION) == span(0, math.inf)
    assert predicted_wait([UNKNOWN, span(5, 9)], 0, DURATION) == span(0, 9)
    assert predicted_wait([span(5, 9)], 1, UNKNOWN) == span(5, math.inf)
    assert predicted_wait([], 0, DURATION) == span(math.inf, math.inf)


def test_both_conditions_must_come():
    assert later(span(1, 9), span(3, 4)) == span(3, 9)
    assert span(1, 2).shifted(3) == span(4, 5)
