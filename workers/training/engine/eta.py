"""How long a run will still take, with a range, from what its own batches and epochs took."""

import math
import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

BLOCK = 10
"""Batches whose mean is one sample: slow ones that come regularly count, a single stall moves one sample."""
BLOCKS = 10
EPOCHS = 10
"""Recent epochs that are looked at: the speed of long ago says little."""
UNSURE = 0.25
"""The range is at least this share to either side for one sample, less with the root of their number."""


@dataclass(frozen=True, kw_only=True)
class Duration:
    """Seconds: `low` and `high` are rarely passed, `likely` is in the middle."""

    low: float
    likely: float
    high: float

    def plus(self, other: "Duration") -> "Duration":
        """One after the other, with what slows one slowing both."""
        return Duration(
            low=self.low + other.low, likely=self.likely + other.likely, high=self.high + other.high
        )

    def times(self, count: float) -> "Duration":
        """So many of them, all alike."""
        return Duration(low=self.low * count, likely=self.likely * count, high=self.high * count)

    def after(self, seconds: float) -> "Duration":
        """What is left of it."""
        return Duration(
            low=max(0.0, self.low - seconds),
            likely=max(0.0, self.likely - seconds),
            high=max(0.0, self.high - seconds),
        )


def spread(samples: Iterable[float]) -> Duration:
    """Median and tenth and ninetieth percentile of at least one sample, wider where there are few."""
    known = sorted(samples)
    likely = statistics.median(known)
    unsure = likely * UNSURE / math.sqrt(len(known))
    low, high = likely, likely
    if len(known) > 1:
        tenths = statistics.quantiles(known, n=10, method="inclusive")
        low, high = tenths[0], tenths[-1]
    return Duration(low=min(low, likely - unsure), likely=likely, high=max(high, likely + unsure))


class Pace:
    """The recent batches and epochs of a run. Every `now` is the same monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._batches: deque[float] = deque(maxlen=BLOCK * BLOCKS)
        # By whether the epoch was validated.
        self._tails = {kind: deque[float](maxlen=EPOCHS) for kind in (False, True)}
        self._epochs = {kind: deque[float](maxlen=EPOCHS) for kind in (False, True)}
        self._began: float | None = None
        self._mark = 0.0
        self._done = 0

    def begin_epoch(self, now: float, batches: int, *, validated: bool = True) -> None:
        """An epoch begins; the one before, `validated` or not, counts where it had all its batches.

        What came between its last batch and now is its tail: validation, checkpoints, figures.
        """
        if self._began is not None and self._done:
            self._tails[validated].append(now - self._mark)
            if self._done == batches:
                self._epochs[validated].append(now - self._began)
        self._began = self._mark = now
        self._done = 0

    def end_batch(self, now: float) -> None:
        """A training batch of the present epoch has ended."""
        self._batches.append(now - self._mark)
        self._mark = now
        self._done += 1

    def left(
        self,
        now: float,
        batches_left: int,
        epochs_after: int,
        batches: int,
        val: int,
        *,
        validated: bool = True,
        not_validated: int = 0,
    ) -> Duration | None:
        """The rest of the present epoch, `validated` or not, and `epochs_after` more, so many of them not
        validated; None before the first batch.

        An epoch has `batches` batches to train on and `val` to validate on. Before a whole epoch was seen,
        one is put together from its parts; before a tail was, batches of it count like those of training.
        """
        if not self._batches:
            return None
        batch = spread(self._block_means())
        tails = {
            kind: spread(seen) if seen else batch.times(val if kind else 0)
            for kind, seen in self._tails.items()
        }
        epochs = {
            kind: spread(seen) if seen else batch.times(batches).plus(tails[kind])
            for kind, seen in self._epochs.items()
        }
        tail = tails[validated]
        rest = batch.times(batches_left).plus(tail if batches_left else tail.after(now - self._mark))
        after = epochs[True].times(epochs_after - not_validated).plus(epochs[False].times(not_validated))
        return rest.plus(after)

    def _block_means(self) -> list[float]:
        """Means of the newest whole blocks, or of all batches where they are fewer than one block."""
        newest_first = list(self._batches)[::-1]
        whole = len(newest_first) // BLOCK * BLOCK
        if not whole:
            return [statistics.fmean(newest_first)]
        return [statistics.fmean(newest_first[i : i + BLOCK]) for i in range(0, whole, BLOCK)]
