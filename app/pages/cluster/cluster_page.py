"""Queues and workers: what waits, at which place and why, and who works on what."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from app.composition import services
from app.pages.early_head import page_response
from app.service.runs.runs import RunState
from trainyard.errors import NotFound, Unreadable
from trainyard.runs.record import RunStatus
from trainyard.scheduling.waiting import MESSAGES
from trainyard.store.runs.run_lists import RunQuery

SHOWN = 30
"""Waiting runs whose place is told; each costs a question to Redis."""


@dataclass(frozen=True, kw_only=True)
class Waiters:
    """Runs that wait, in the order in which they will be taken, and whether there are more than are shown."""

    states: list[RunState]
    has_more: bool


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/cluster", "cluster", show)


def show() -> Response:
    """The page."""
    return page_response("cluster/cluster.html", _found)


def _found() -> dict[str, Any]:
    cluster = services().cluster
    return {
        "queues": cluster.queues(),
        "workers": cluster.workers(),
        "waiters": _waiters(),
        "shown": SHOWN,
        "messages": MESSAGES,
    }


def _waiters() -> Waiters:
    runs = services().runs
    waiting = (RunStatus.QUEUED.value, RunStatus.FINISHING.value)
    page = runs.page(RunQuery(statuses=waiting, descending=False, limit=SHOWN))
    found = []
    for run in page.readable:
        try:
            found.append(runs.state(run.id))
        except (NotFound, Unreadable):
            continue  # deleted since it was listed
    states = [state for state in found if state.waiting]
    states.sort(key=lambda state: (state.run.queue, state.waiting.position if state.waiting else 0))
    return Waiters(states=states, has_more=page.next_cursor is not None)
