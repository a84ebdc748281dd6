"""The judge must find what it is there for: each fault is planted into evidence without any."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from tests.chaos.actions import Strike
from tests.chaos.judge import Evidence, Final, judge, overlaps, redone_epochs
from tests.chaos.step_log import Mark

RUN = "run-000000000001"


def steps(child: str, *begins: tuple[float, int, int]) -> list[Mark]:
    """A child's steps as (when it began, epoch, step), each half a second long."""
    return [
        Mark(at=at + later, what=what, run=RUN, pid=1, child=child, epoch=epoch, step=step)
        for at, epoch, step in begins
        for what, later in (("begin", 0.0), ("end", 0.5))
    ]


def final(**over: Any) -> Final:
    rows = [{"epoch": epoch, "val_miou": epoch / 10, "epoch_seconds": epoch} for epoch in (1, 2)]
    values = {"run": RUN, "status": "completed", "error": {}, "rows": rows, "best": rows[1]}
    return Final(**{**values, **over})


def evidence(**over: Any) -> Evidence:
    """One run of two epochs of two steps, hit after its first step and resumed by another child."""
    values = {
        "accepted": {RUN: 0},
        "finals": {RUN: final()},
        "references": {0: final(run="run-reference")},
        "marks": [*steps("a", (0.0, 0, 0)), *steps("b", (3.0, 0, 0), (4.0, 0, 1), (5.0, 1, 2), (6.0, 1, 3))],
        "strikes": [Strike(kind="child", at=1.0, runs=(RUN,), gone=("a",))],
        "starved": frozenset(),
        "cancelled": frozenset(),
        "resumed": frozenset(),
        "trouble": [],
        "lease_s": 10,
        "slowness": 1.0,
    }
    return Evidence(**{**values, **over})


def test_a_run_that_goes_on_is_no_fault():
    verdict = judge(evidence())
    assert verdict.faults == []
    assert (verdict.runs, verdict.epochs, verdict.redone) == (1, 2, 0.5)
    assert verdict.recoveries == {"child": [2.0]}
    assert verdict.delays == ["child: median recovery 2.0 s, wanted below 2.0 s"]
    assert judge(evidence(slowness=1.1)).delays == []


@pytest.mark.parametrize(
    ("over", "fault"),
    [
        ({"finals": {}}, "has not ended"),
        ({"finals": {RUN: final(status="failed", error={"code": "worker_lost"})}}, "failed: worker_lost"),
        ({"finals": {RUN: final(status="failed", error={"code": "disk_full"})}}, "failed: disk_full"),
        ({"finals": {RUN: final(rows=[{"epoch": 1, "val_miou": 0.1}])}}, "1 rows instead of 2"),
        ({"finals": {RUN: final(best={"epoch": 2, "val_miou": 0.3})}}, "val_miou 0.3 instead of 0.2"),
        ({"cancelled": frozenset({RUN})}, "is completed"),
        ({"finals": {RUN: final(status="stopped")}}, "is stopped"),
        ({"trouble": ["worker-0 ended with 1"]}, "ended with 1"),
    ],
)
def test_a_planted_fault_is_found(over: dict[str, Any], fault: str):
    (found,) = judge(evidence(**over)).faults
    assert fault in found


def test_a_run_that_stayed_cancelled_is_no_fault():
    verdict = judge(evidence(finals={RUN: final(status="cancelled")}, cancelled=frozenset({RUN})))
    assert (verdict.faults, verdict.cancelled) == ([], 1)


def test_a_run_on_a_full_disk_must_complete_in_the_end():
    assert judge(evidence(starved=frozenset({RUN}))).starved == [f"{RUN}: completed"]


def test_what_a_clock_says_may_differ():
    slower = [{**row, "epoch_seconds": 99} for row in final().rows]
    assert judge(evidence(finals={RUN: final(rows=slower)})).faults == []


def test_a_child_that_steps_beside_its_successor_is_found():
    marks = [*steps("a", (0.0, 0, 0), (3.2, 0, 1)), *steps("b", (3.0, 0, 0))]
    (found,) = overlaps(sorted(marks, key=lambda mark: mark.at))
    assert "a still stepped 0.700 s after" in found


def test_children_one_after_the_other_are_none():
    turns = [steps("a", (0.0, 0, 0)), steps("b", (1.0, 0, 0)), steps("c", (2.0, 0, 0))]
    assert all(first[-1].at < second[0].at for first, second in pairwise(turns))
    assert overlaps([mark for turn in turns for mark in turn]) == []


def test_redone_steps_count_as_parts_of_an_epoch():
    marks = [*steps("a", (0.0, 0, 0), (1.0, 0, 1), (2.0, 1, 2)), *steps("b", (3.0, 1, 2), (4.0, 1, 3))]
    assert redone_epochs(marks) == 0.5


def test_a_strike_after_the_last_step_has_no_recovery():
    late = Strike(kind="worker", at=9.0, runs=(RUN,), gone=("b",))
    assert judge(evidence(strikes=[late])).recoveries == {}


def test_the_child_that_is_gone_does_not_count_as_recovered():
    strike = replace(evidence().strikes[0], at=3.5, gone=("b",))
    assert judge(evidence(strikes=[strike])).recoveries == {}
