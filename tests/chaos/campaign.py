"""The course of a chaos run: undisturbed references, then load and actions, then peace."""

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.chaos.actions import Actions, Course
from tests.chaos.client import SETTLED, Client
from tests.chaos.cluster import Cluster
from tests.chaos.judge import Evidence, Final
from tests.chaos.load import Load, spec
from tests.chaos.step_log import read_marks
from tests.chaos.stored_runs import PROJECT
from tests.chaos.yardstick import Yardstick
from tests.waits import Limit

TICK_S = 0.05
LOOK_S = 0.3


@dataclass(frozen=True, kw_only=True)
class CampaignPlan:
    """`gap_s`: shortest and longest time from one action to the next; `patience_s`: how long unfinished
    runs and actions may take, on an idle machine, once no new one begins; `seconds`: when none begins any
    more."""

    seed: int
    seconds: float
    gap_s: tuple[float, float]
    patience_s: float
    seeds: int
    epochs: int


def run_campaign(cluster: Cluster, plan: CampaignPlan, kinds: Iterator[str]) -> Evidence:
    """Do the actions of these kinds in this order, until there are none left or time is up."""
    references = _references(cluster, plan)
    load = Load(
        cluster.new_client(plan.patience_s),
        cluster.datasets,
        width=len(cluster.workers) - 1,  # one is free to take over
        seeds=plan.seeds,
        epochs=plan.epochs,
    )
    chance = Random(plan.seed)
    actions = Actions(cluster, load, chance)
    yardstick = Yardstick()
    yardstick.start()
    load.start()
    _play(cluster, actions, plan, kinds, chance)
    slowness = yardstick.stop()
    load.stop(plan.patience_s)
    while load.is_alive():
        cluster.tend()
        time.sleep(LOOK_S)
    finals = _settle(cluster, load, plan)
    return Evidence(
        accepted=load.accepted,
        finals=finals,
        references=references,
        marks=read_marks(cluster.steps),
        strikes=actions.strikes,
        starved=frozenset(cluster.starved),
        cancelled=frozenset(load.wishes.cancelled),
        resumed=frozenset(load.wishes.resumed),
        trouble=[*load.trouble, *cluster.odd_exits, *actions.trouble, *_missing(cluster)],
        lease_s=cluster.plan.lease_s,
        slowness=slowness,
    )


def _missing(cluster: Cluster) -> list[str]:
    """Whether all that lay in storage from the first is listed."""
    wanted, found = cluster.plan.stored, cluster.client.count(PROJECT)
    return [] if found == wanted else [f"{found} of {wanted} stored runs are listed"]


def _references(cluster: Cluster, plan: CampaignPlan) -> dict[int, Final]:
    """What each seed comes to when nothing disturbs it."""
    client = cluster.client
    runs = {}
    for seed in range(plan.seeds):
        wanted = spec(seed, plan.epochs)
        runs[seed] = client.submit(f"reference-{seed}", cluster.datasets[wanted["task"]], wanted)
    finals = {
        seed: _final(client, client.wait(run_id, lambda run: run["status"] == "completed"))
        for seed, run_id in runs.items()
    }
    if broken := [final for final in finals.values() if final.status != "completed"]:
        raise ValueError(f"Undisturbed runs did not complete: {broken}")
    return finals


def _play(
    cluster: Cluster, actions: Actions, plan: CampaignPlan, kinds: Iterator[str], chance: Random
) -> None:
    """Begin actions at random gaps and take each on when its time has come; what ends is started again."""
    begin = time.monotonic()
    last_begin, patience = begin + plan.seconds, None
    due: list[tuple[float, int, Course]] = []
    next_at, number = begin + chance.uniform(*plan.gap_s), 0
    kind = next(kinds, None)
    while kind is not None or (due and not (patience := patience or Limit(plan.patience_s)).has_passed):
        cluster.tend()
        now = time.monotonic()
        if kind is not None and now > last_begin:
            kind = None
        elif kind is not None and now >= next_at:
            heapq.heappush(due, (now, number, actions.kinds[kind]()))
            kind = next(kinds, None)
            next_at, number = now + chance.uniform(*plan.gap_s), number + 1
        while due and due[0][0] <= now:
            _, order, course = heapq.heappop(due)
            if (pause := next(course, None)) is not None:
                heapq.heappush(due, (now + pause, order, course))
        time.sleep(TICK_S)


def _settle(cluster: Cluster, load: Load, plan: CampaignPlan) -> dict[str, Final]:
    """Leave the cluster in peace until every run has ended, or patience has."""
    patience = Limit(plan.patience_s)
    open_runs, finals = list(load.accepted), {}
    while open_runs and not patience.has_passed:
        cluster.tend()
        for run_id in list(open_runs):
            run = cluster.client.run(run_id)
            if run["status"] in SETTLED:
                finals[run_id] = _final(cluster.client, run)
                open_runs.remove(run_id)
        time.sleep(LOOK_S)
    return finals


def _final(client: Client, run: dict[str, Any]) -> Final:
    return Final(
        run=run["id"],
        status=run["status"],
        error=run["error"] or {},
        rows=client.rows(run["id"]) if run["status"] == "completed" else [],
        best=(run["result"] or {}).get("best", {}),
    )
