"""A claim is worked on whichever of its answers Redis kept to itself."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.records import a_run
from tests.waits import once
from trainyard.errors import StoreUnavailable
from trainyard.lease import LeaseRules
from trainyard.registry.runs import RunRegistry
from trainyard.storage.files import Storage
from trainyard.store import records
from trainyard.store.connection import connect, run_script
from workers.process import claims as module
from workers.process.claims import Claims


@pytest.fixture
def runs(redis_url: str, tmp_path, monkeypatch) -> RunRegistry:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    registry = RunRegistry(connect(redis_url), Storage(tmp_path), LeaseRules(lease_s=30))
    registry.submit(a_run(1))
    registry.submit(a_run(2))
    return registry


@pytest.fixture
def broken(monkeypatch) -> Callable[..., list[str]]:
    """Lets scripts run and their answers be lost, or not run at all, for the first calls of each name."""
    calls: list[str] = []

    def arm(**times: tuple[int, bool]) -> list[str]:
        left = {name: count for name, (count, _) in times.items()}

        def run(client: Any, script: str, *arguments: Any) -> Any:
            calls.append(script)
            if left.get(script, 0) <= 0:
                return run_script(client, script, *arguments)
            left[script] -= 1
            if times[script][1]:
                run_script(client, script, *arguments)
            raise StoreUnavailable()

        monkeypatch.setattr(records, "run_script", run)
        return calls

    return arm


def test_one_whose_second_round_trip_fails_is_this_worker_s(runs: RunRegistry, broken):
    broken(mirrored=(10**9, False))
    claimed = Claims(runs, "me", threading.Event()).next("train")
    assert claimed
    assert (claimed[0].id, claimed[0].fence, claimed[0].owner) == (a_run(1).id, 1, "me")


@pytest.mark.parametrize("tries", [0, 3])
def test_one_that_was_made_without_an_answer_is_found_again(runs: RunRegistry, broken, tries: int):
    broken(claim=(1, True), held=(tries, True))
    began = time.monotonic()
    run, ownership = Claims(runs, "me", threading.Event()).next("train")
    assert (run.id, run.fence, runs.get(run.id).owner) == (a_run(1).id, 1, "me")
    assert began + 20 < ownership.until < time.monotonic() + 30
    runs.renew(run)
    assert runs.get(a_run(2).id).status == "queued"


def test_one_that_was_not_made_leaves_the_queue_as_it_is(runs: RunRegistry, broken):
    runs.claim("train", "another")
    broken(claim=(1, False))
    mine = Claims(runs, "me", threading.Event())
    assert mine.next("train") is None
    run, _ = mine.next("train")
    assert (run.id, run.owner) == (a_run(2).id, "me")


def test_a_worker_that_leaves_asks_no_more(runs: RunRegistry, broken):
    draining = threading.Event()
    calls = broken(claim=(1, True), held=(10**9, True))
    once(lambda: "held" in calls, draining.set)
    assert Claims(runs, "me", draining).next("train") is None
    assert "held" in calls
    assert Claims(runs, "me", draining).next("train") is None
