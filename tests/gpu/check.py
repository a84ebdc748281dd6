"""What a check is, what it is given, and what it says: findings, each beside what was wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

CPU, CUDA = "cpu", "cuda"
Device = Literal["cpu", "cuda"]
Status = Literal["passed", "failed", "measured", "not shown"]
PASSED: Status = "passed"
FAILED: Status = "failed"
MEASURED: Status = "measured"
NOT_SHOWN: Status = "not shown"
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. What is only measured, or not shown here, fails nothing."""

    what: str
    found: str
    wanted: str = ""
    status: Status


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a check may use: the device, an empty folder, a seed, and CPU threads.

    A check yields findings made by these methods. Speeds are judged on a GPU alone: on a CPU they show that
    the check's code runs.
    """

    device: Device
    folder: Path
    seed: int
    threads: int

    @property
    def on_gpu(self) -> bool:
        """Whether this is the full form of the check."""
        return self.device == CUDA

    @property
    def device_class(self) -> str:
        """The queue whose runs train on the device."""
        return "gpu" if self.on_gpu else "cpu"

    def size(self, full: Value, reduced: Value) -> Value:
        """The extent of the full form, or that of the CPU's."""
        return full if self.on_gpu else reduced

    def at_most(self, what: str, value: float, limit: float, *, speed: bool = False) -> Finding:
        """A figure that may not be above the limit; `speed` is one that only a GPU is judged by."""
        return self._figure(what, value, f"<= {limit:.5g}", value <= limit, speed)

    def at_least(self, what: str, value: float, limit: float, *, speed: bool = False) -> Finding:
        """A figure that may not be below the limit; NaN is."""
        return self._figure(what, value, f">= {limit:.5g}", value >= limit, speed)

    def _figure(self, what: str, value: float, wanted: str, is_kept: bool, speed: bool) -> Finding:
        verdict = PASSED if is_kept else FAILED
        status = MEASURED if speed and not self.on_gpu else verdict
        return Finding(what=what, found=f"{value:.4g}", wanted=wanted, status=status)


def holds(what: str, is_so: bool, found: object = "") -> Finding:
    """A statement that is to be true; `found` is what was seen."""
    said = str(found) or ("yes" if is_so else "no")
    return Finding(what=what, found=said, wanted="yes" if not str(found) else "", status=_verdict(is_so))


def none_of(what: str, exceptions: Sequence[str]) -> Finding:
    """A statement without exceptions; those that there are, are named."""
    shown = "; ".join(exceptions[:4]) + (f"; {len(exceptions) - 4} more" if len(exceptions) > 4 else "")
    return Finding(what=what, found=shown or "all", wanted="all", status=_verdict(not exceptions))


def equal(what: str, found: object, wanted: object) -> Finding:
    """Two values that are to be the same."""
    return Finding(what=what, found=str(found), wanted=str(wanted), status=_verdict(found == wanted))


def measured(what: str, found: object) -> Finding:
    """Something worth knowing that nobody is judged by."""
    return Finding(what=what, found=str(found), status=MEASURED)


def not_shown(what: str, why: str) -> Finding:
    """Something that cannot be looked at here."""
    return Finding(what=what, found=why, status=NOT_SHOWN)


def _verdict(is_so: bool) -> Status:
    return PASSED if is_so else FAILED


@dataclass(frozen=True, kw_only=True)
class Check:
    """One row of the table.

    `work` names a generator of findings, as `package.module:function`, which is run in a process of its own
    and ended after `limit_s`. `criterion` says when it passes, `remedy` what to do where it does not, `cpu`
    what its form on a CPU shows.
    """

    number: int
    name: str
    limit_s: float
    work: str
    criterion: str
    remedy: str
    cpu: str
