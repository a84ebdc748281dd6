"""A shutdown waits for a checkpoint as long as that one takes, and no longer."""

import pytest

from trainyard.runs.events import CheckpointSaved
from workers.runs.drain_time import BATCH_S, FIRST_SAVE_S, DrainTime

GB = 10**9


def saved(size: int, seconds: float | None) -> CheckpointSaved:
    return CheckpointSaved(
        kinds=("last",), epoch=1, step=1, file="last.ckpt", stored="s", bytes=size, sha256="", after=None,
        seconds=seconds,
    )  # fmt: skip


def test_nothing_is_known_of_a_first_checkpoint():
    assert DrainTime(None).seconds == BATCH_S + FIRST_SAVE_S


def test_an_earlier_attempts_checkpoint_tells_the_size():
    assert DrainTime(4 * GB).seconds == pytest.approx(BATCH_S + 2 * 80)


@pytest.mark.parametrize(
    ("size", "seconds", "expected"),
    [(4 * GB, 40.0, 80), (50_000_000, 0.2, 0.4), (7 * GB, 3.5, 7), (100_000_000, None, 4)],
)
def test_the_last_save_tells_size_and_speed(size: int, seconds: float | None, expected: float):
    drain = DrainTime(None)
    drain.note(saved(size, seconds))
    assert drain.seconds == pytest.approx(BATCH_S + expected)


def test_the_newest_save_counts():
    drain = DrainTime(8 * GB)
    drain.note(saved(4 * GB, 400.0))
    drain.note(saved(GB, 1.0))
    assert drain.seconds == pytest.approx(BATCH_S + 2)
