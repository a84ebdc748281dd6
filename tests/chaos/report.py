"""What a chaos run tells its reader."""

from collections.abc import Iterator
from statistics import median

from tests.chaos.judge import Verdict


def lines(verdict: Verdict) -> Iterator[str]:
    """The report, line by line."""
    yield f"runs accepted                {verdict.runs}"
    yield f"lost                         {len(verdict.lost)}"
    yield f"trained twice at once        {len(verdict.concurrent)}"
    yield f"with other metrics           {len(verdict.different)}"
    yield f"cancelled, resumed           {verdict.cancelled}, {verdict.resumed}"
    yield f"epochs redone                {verdict.redone:.1f} of {verdict.epochs}"
    yield ""
    yield f"{'done to the cluster':<20} {'times':>5}   recovery in s: {'median':>6} {'worst':>6}"
    for kind, times in sorted(verdict.kinds.items()):
        yield f"{kind:<20} {times:>5}                  {_summary(verdict.recoveries.get(kind, []))}"
    yield f"{'in all':<20} {sum(verdict.kinds.values()):>5}"
    yield f"the machine was {verdict.slowness:.1f} times slower than the idle one that limits speak of"
    if verdict.starved:
        yield f"on a full disk: {', '.join(verdict.starved)}"
    yield ""
    yield from (f"FAULT {fault}" for fault in verdict.faults)
    yield from (f"SLOW {delay}" for delay in verdict.delays)


def _summary(times: list[float]) -> str:
    return f"{median(times):>6.1f} {max(times):>6.1f}" if times else f"{'-':>6} {'-':>6}"
