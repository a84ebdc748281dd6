"""Judges what a cluster did under chaos, by the steps that its children logged and by what the API says."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.chaos.actions import Strike
from tests.chaos.step_log import Mark

CHILD_S = 2.0
"""A run whose child was killed steps again within so long, in the median, on an idle machine."""
WORKER_S = 15.0
"""One whose worker was killed, within so long after its lease."""
OF_A_CLOCK = ("images_per_second", "epoch_seconds", "device_utilization", "device_memory_gb")


@dataclass(frozen=True, kw_only=True)
class Final:
    """How a run ended: its metrics rows and the best of them."""

    run: str
    status: str
    error: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    best: Mapping[str, Any]

    def figures(self) -> list[dict[str, Any]]:
        """All that must be equal in every run of a seed."""
        return [
            {name: value for name, value in row.items() if name not in OF_A_CLOCK}
            for row in (*self.rows, self.best)
        ]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a campaign leaves to be judged; `accepted` and `references` are by run id and by seed. `slowness`
    is that of the machine meanwhile."""

    accepted: Mapping[str, int]
    finals: Mapping[str, Final]
    references: Mapping[int, Final]
    marks: Sequence[Mark]
    strikes: Sequence[Strike]
    starved: frozenset[str]
    cancelled: frozenset[str]
    resumed: frozenset[str]
    trouble: Sequence[str]
    lease_s: float
    slowness: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`epochs` were needed, `redone` (in epochs) trained again; `recoveries` in s, by kind of strike."""

    runs: int
    kinds: Mapping[str, int]
    lost: list[str]
    concurrent: list[str]
    different: list[str]
    cancelled: int
    resumed: int
    starved: list[str]
    trouble: list[str]
    epochs: int
    redone: float
    recoveries: Mapping[str, list[float]] = field(default_factory=dict)
    lease_s: float
    slowness: float

    @property
    def faults(self) -> list[str]:
        """What must never be, whatever the machine's load."""
        return [*self.lost, *self.concurrent, *self.different, *self.trouble]

    @property
    def delays(self) -> list[str]:
        """Recoveries that took longer than they may on a machine as slow as this one was."""
        worker_s = self.lease_s + WORKER_S * self.slowness
        limits = {"child": CHILD_S * self.slowness, "supervisor": worker_s, "worker": worker_s}
        late = []
        for kind, limit in limits.items():
            times = self.recoveries.get(kind, [])
            if times and median(times) >= limit:
                late.append(f"{kind}: median recovery {median(times):.1f} s, wanted below {limit:.1f} s")
        return late


def judge(evidence: Evidence) -> Verdict:
    """The verdict on a campaign."""
    of_run: dict[str, list[Mark]] = defaultdict(list)
    for mark in evidence.marks:
        of_run[mark.run].append(mark)
    whole = [final for final in evidence.finals.values() if final.status == "completed"]
    epochs = len(next(iter(evidence.references.values())).rows)
    return Verdict(
        runs=len(evidence.accepted),
        kinds=Counter(strike.kind for strike in evidence.strikes),
        lost=_lost(evidence),
        concurrent=[fault for marks in of_run.values() for fault in overlaps(marks)],
        different=_different(evidence),
        cancelled=len(evidence.cancelled),
        resumed=len(evidence.resumed),
        starved=[
            f"{run}: {final.error.get('code', final.status)}"
            for run, final in evidence.finals.items()
            if run in evidence.starved
        ],
        trouble=list(evidence.trouble),
        epochs=epochs * len(whole),
        redone=sum(redone_epochs(of_run[final.run]) for final in whole),
        recoveries=recoveries(evidence.strikes, of_run),
        lease_s=evidence.lease_s,
        slowness=evidence.slowness,
    )


def _lost(evidence: Evidence) -> list[str]:
    """Accepted runs that did not complete, or that did not stay cancelled where that was granted."""
    lost = []
    for run in evidence.accepted:
        final = evidence.finals.get(run)
        if final is None:
            lost.append(f"{run} has not ended")
        elif final.status != ("cancelled" if run in evidence.cancelled else "completed"):
            lost.append(f"{run} is {final.status}: {final.error.get('code')} {final.error.get('message')}")
    return lost


def _different(evidence: Evidence) -> list[str]:
    """Completed runs whose metrics are not those of the same run undisturbed."""
    different = []
    for run, final in evidence.finals.items():
        wanted, found = evidence.references[evidence.accepted[run]].figures(), final.figures()
        if final.status == "completed" and found != wanted:
            different.append(f"{run} differs: {_first_difference(wanted, found)}")
    return different


def _first_difference(wanted: list[dict[str, Any]], found: list[dict[str, Any]]) -> str:
    if len(wanted) != len(found):
        return f"{len(found) - 1} rows instead of {len(wanted) - 1}"
    for expected, row in zip(wanted, found, strict=True):
        for name, value in expected.items():
            if row.get(name) != value:
                return f"epoch {expected.get('epoch')} {name} {row.get(name)} instead of {value}"
    return "more fields than expected"


def overlaps(marks: Sequence[Mark]) -> list[str]:
    """Children that still stepped when a later one had begun to; marks of one run, in order of time."""
    began: dict[str, float] = {}
    late: dict[str, float] = {}
    newest = ""
    for mark in marks:
        if mark.child not in began:
            began[mark.child] = mark.at
            newest = mark.child
        elif mark.child != newest:
            late[mark.child] = mark.at - began[newest]
    return [
        f"{marks[0].run}: {child} still stepped {seconds:.3f} s after a later one had begun"
        for child, seconds in late.items()
    ]


def redone_epochs(marks: Sequence[Mark]) -> float:
    """Epochs' worth of steps of one run that were begun more than once."""
    begun = Counter(mark.step for mark in marks if mark.what == "begin")
    epochs = len({mark.epoch for mark in marks})
    return (begun.total() - len(begun)) * epochs / len(begun)


def recoveries(strikes: Sequence[Strike], of_run: Mapping[str, Sequence[Mark]]) -> dict[str, list[float]]:
    """Seconds from each strike to the next step of each run that it hit; past its last step it has none."""
    found: dict[str, list[float]] = defaultdict(list)
    for strike in strikes:
        for run in strike.runs:
            begins = (
                mark.at - strike.at
                for mark in of_run.get(run, ())
                if mark.what == "begin" and mark.at > strike.at and mark.child not in strike.gone
            )
            if (first := next(begins, None)) is not None:
                found[strike.kind].append(first)
    return dict(found)
