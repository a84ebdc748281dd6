"""What a client is told of each decision on a run: the words, the field, and what followers hear."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from tests.unit.records import a_run
from trainyard.errors import Conflict, InvalidRequest, NotFound, StoreUnavailable
from trainyard.lease import LeaseRules
from trainyard.registry.lifecycle import RunLife
from trainyard.registry.runs import FINISHING_REMEDY, RunRegistry
from trainyard.runs.imported import Imported
from trainyard.runs.record import Run, RunStatus
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store import keys
from trainyard.store.connection import Client, connect
from trainyard.store.runs.run_store import FINISH_QUEUE

RUN_ID = a_run(1).id
ABSENT = f"There is no run {RUN_ID}."


@pytest.fixture
def client(redis_url: str) -> Client:
    client = connect(redis_url)
    client.hset(keys.record("dataset", a_run(1).dataset_id), "status", "ready")
    return client


@pytest.fixture
def runs(client: Client, storage: Storage) -> RunRegistry:
    return RunRegistry(client, storage, LeaseRules(lease_s=60, max_crashes=3))


@pytest.fixture
def life(client: Client, storage: Storage, runs: RunRegistry) -> RunLife:
    return RunLife(client, storage, runs)


def begun(runs: RunRegistry) -> Run:
    runs.submit(a_run(1))
    held = runs.claim("train", "w")
    assert held
    return held


def ended(runs: RunRegistry, status: RunStatus, **values: Any) -> Run:
    return runs.finish(begun(runs), status, **({"epoch": 4} | values))


def statuses(storage: Storage) -> list[str]:
    """Those that followers were told, in order."""
    path = storage.run(RUN_ID).events
    lines = path.read_text().splitlines() if path.exists() else []
    return [event["status"] for event in map(json.loads, lines) if "status" in event]


def told(
    call: Callable[[], object], kind: type[Conflict | NotFound | InvalidRequest]
) -> tuple[str, Any, Any]:
    with pytest.raises(kind) as caught:
        call()
    return caught.value.message, caught.value.errors, caught.value.remedy


def calls(life: RunLife) -> dict[str, Callable[[], object]]:
    """Each decision, by what it does to a run."""
    return {
        "cancelled": lambda: life.cancel(RUN_ID),
        "resumed": lambda: life.resume(RUN_ID, 3),
        "tried again": lambda: life.retry(RUN_ID),
        "exported": lambda: life.export(RUN_ID, replace(a_run(1).spec.export, half=True)),
        "deleted": lambda: life.remove(RUN_ID),
    }


REFUSED = {
    RunStatus.RUNNING: ["resumed", "tried again", "exported", "deleted"],
    RunStatus.FINISHING: ["resumed", "tried again", "exported", "deleted"],
    RunStatus.STOPPED: ["cancelled", "tried again", "exported"],
    RunStatus.FAILED: ["cancelled", "exported"],
    RunStatus.CANCELLED: ["resumed", "tried again", "exported"],
}


@pytest.mark.parametrize("status", REFUSED)
def test_a_refusal_names_the_status_and_what_was_wished(
    runs: RunRegistry, life: RunLife, storage: Storage, status: RunStatus
):
    held = begun(runs)
    if status == RunStatus.FINISHING:
        runs.hand_over(held, held.epochs, epoch=held.epochs, used_seconds=1.0)
    elif status != RunStatus.RUNNING:
        runs.finish(held, status)
    remedy = FINISHING_REMEDY if status == RunStatus.FINISHING else Conflict.remedy
    before = statuses(storage)
    for verb in REFUSED[status]:
        message = f"Run {RUN_ID} is {status} and cannot be {verb}."
        assert told(calls(life)[verb], Conflict) == (message, {"status": status}, remedy)
    assert statuses(storage) == before


def test_a_run_that_is_none_is_named(runs: RunRegistry, life: RunLife):
    for call in (*calls(life).values(), lambda: runs.stop(RUN_ID, "now"), lambda: runs.retarget(RUN_ID, 3)):
        assert told(call, NotFound)[0] == ABSENT
    for move in (runs.move_to_front, lambda one: runs.move_beside(one, "run-000000000002", 1)):
        assert told(lambda: move(RUN_ID), NotFound)[0] == ABSENT  # noqa: B023


@pytest.mark.parametrize("imported", [False, True])
def test_a_data_set_that_is_gone_is_told_with_what_may_be_done(
    runs: RunRegistry, life: RunLife, client: Client, imported: bool
):
    origin = Imported(run_id="exp-1", name="mine", revision=1, created_at=1.0, by="somebody")
    ended(runs, RunStatus.FAILED, **({"imported": asdict(origin)} if imported else {}))
    client.delete(keys.record("dataset", a_run(1).dataset_id))
    gone = "is not here" if imported else "has been deleted"
    for verb in ("resumed", "tried again"):
        assert told(calls(life)[verb], Conflict) == (
            f"The data set of run {RUN_ID} {gone}; it cannot be {verb}.",
            {"status": "failed", "dataset_id": ["no such data set"]},
            "Upload the set and name it by PATCH (`dataset_id`), or fork the run onto another.",
        )


def test_a_completed_run_tells_above_which_target_it_goes_on(runs: RunRegistry, life: RunLife):
    ended(runs, RunStatus.COMPLETED)
    assert told(lambda: life.resume(RUN_ID, 4), Conflict) == (
        f"Run {RUN_ID} is completed after 4 epochs; it goes on only to a higher target.",
        {"status": "completed", "epochs": ["above 4"]},
        "Give `epochs`, the total to reach.",
    )


def test_followers_are_told_once_and_storage_has_the_decision(
    runs: RunRegistry, life: RunLife, storage: Storage
):
    ended(runs, RunStatus.STOPPED)
    for _ in range(2):
        assert life.resume(RUN_ID, 9).status == RunStatus.QUEUED
    assert statuses(storage) == ["queued"]
    assert read_json(storage.run(RUN_ID).record)["epochs"] == 9
    runs.claim("train", "w")
    life.cancel(RUN_ID)
    assert statuses(storage) == ["queued"], "its worker ends it, and tells"


def test_files_are_written_anew_only_where_they_are_others(
    runs: RunRegistry, life: RunLife, storage: Storage
):
    wanted = a_run(1).spec.export
    assert wanted.onnx
    done = ended(runs, RunStatus.COMPLETED, result={"export": {"file": "model.onnx"}})
    assert life.export(RUN_ID, wanted) == done
    half = replace(wanted, half=True)
    asked = life.export(RUN_ID, half)
    assert (asked.status, asked.spec.export, asked.reopened_by) == (RunStatus.FINISHING, half, "export")
    assert life.export(RUN_ID, half).revision == asked.revision
    assert statuses(storage) == ["finishing"]
    held = runs.claim(FINISH_QUEUE, "f")
    assert held
    runs.finish(held, RunStatus.COMPLETED, result={"export": None})
    assert life.export(RUN_ID, half).status == RunStatus.FINISHING, "the file is not there"


def test_no_file_is_wanted_and_none_is_there(runs: RunRegistry, life: RunLife):
    done = ended(runs, RunStatus.COMPLETED, result={"epoch": 4})
    none = replace(a_run(1).spec.export, onnx=False)
    assert life.export(RUN_ID, none).spec.export == none
    held = runs.claim(FINISH_QUEUE, "f")
    assert held
    again = runs.finish(held, RunStatus.COMPLETED, result={"epoch": 4})
    assert life.export(RUN_ID, none) == runs.get(RUN_ID)
    assert again.revision > done.revision
    assert runs.get(RUN_ID).status == RunStatus.COMPLETED


def test_one_that_cannot_be_read_is_cancelled_before_it_goes(
    runs: RunRegistry, life: RunLife, client: Client
):
    begun(runs)
    client.hset(keys.record("run", RUN_ID), "spec", "broken")
    assert told(lambda: life.remove(RUN_ID), Conflict) == (
        f"Run {RUN_ID} cannot be read and is held by a worker: it is being cancelled.",
        {},
        "Delete it once the worker has let it go.",
    )
    assert client.hget(keys.signals(RUN_ID), "cancel") == "1"


def test_one_that_cannot_be_read_and_waits_is_gone_at_once(
    runs: RunRegistry, life: RunLife, client: Client, storage: Storage
):
    runs.submit(a_run(1))
    client.hset(keys.record("run", RUN_ID), "spec", "broken")
    life.remove(RUN_ID)
    assert not client.exists(keys.record("run", RUN_ID))
    assert not storage.run(RUN_ID).path.exists()


def test_signals_are_refused_and_told_as_decisions_are(runs: RunRegistry, storage: Storage):
    ended(runs, RunStatus.COMPLETED)
    for verb, call in {
        "stopped": lambda: runs.stop(RUN_ID, "now"),
        "given another epoch target": lambda: runs.retarget(RUN_ID, 9),
        "moved in its queue": lambda: runs.move_to_front(RUN_ID),
    }.items():
        message = f"Run {RUN_ID} is completed and cannot be {verb}."
        assert told(call, Conflict) == (message, {"status": "completed"}, Conflict.remedy)
    assert told(lambda: runs.move_beside(RUN_ID, "run-000000000002", 1), Conflict)[0] == (
        f"Run {RUN_ID} is completed and cannot be moved in its queue."
    )
    assert statuses(storage) == []


@pytest.mark.parametrize(("step", "field"), [(-1, "before"), (1, "after")])
def test_a_run_moves_among_those_of_its_queue_alone(runs: RunRegistry, step: Any, field: str):
    runs.submit(a_run(1))
    assert told(lambda: runs.move_beside(RUN_ID, "run-000000000002", step), InvalidRequest)[:2] == (
        "The run can be moved among those that wait in its project and queue with its priority.",
        {field: ["another run of these"]},
    )
    runs.submit(a_run(2))
    runs.submit(a_run(3))
    runs.move_beside(RUN_ID, a_run(2).id, 1)
    assert [runs.claim("train", f"w{n}").id for n in range(3)] == [a_run(n).id for n in (2, 1, 3)]  # type: ignore[union-attr]


def test_one_that_waits_is_stopped_and_told_of_here(runs: RunRegistry, storage: Storage):
    runs.submit(a_run(1))
    assert runs.stop(RUN_ID, "epoch").status == RunStatus.STOPPED
    assert runs.stop(RUN_ID, "epoch").status == RunStatus.STOPPED
    assert statuses(storage) == ["stopped"]


def test_one_that_trains_on_is_told_of(runs: RunRegistry, storage: Storage):
    held = begun(runs)
    runs.hand_over(held, held.epochs, epoch=held.epochs, used_seconds=1.0)
    assert runs.retarget(RUN_ID, held.epochs + 1).status == RunStatus.QUEUED
    assert statuses(storage) == ["queued"]


def test_a_record_that_is_not_here_again_yet_is_no_unknown_one(
    runs: RunRegistry, life: RunLife, client: Client
):
    ended(runs, RunStatus.COMPLETED)
    client.flushall()
    for call in (*calls(life).values(), lambda: runs.stop(RUN_ID, "now")):
        with pytest.raises(StoreUnavailable, match="rebuilt"):
            call()


def test_a_run_that_waits_for_its_data_set_is_admitted_or_refused_once(runs: RunRegistry, storage: Storage):
    _, run = runs.submit(a_run(1, awaits_dataset=True))
    assert runs.awaiting_dataset() == [RUN_ID]
    admitted = runs.admit(run, {"dataset_hash": "new"})
    assert admitted
    assert (admitted.status, admitted.awaits_dataset, admitted.dataset_hash) == ("queued", False, "new")
    assert runs.admit(run, {}) is None
    assert runs.refuse(run, {"code": "x"}) is None
    assert statuses(storage) == ["queued"]
    _, other = runs.submit(a_run(2, awaits_dataset=True))
    refused = runs.refuse(other, {"code": "bad_dataset", "message": "no", "cause": "user", "remedy": "r"})
    assert refused
    assert refused.error
    assert (refused.status, refused.error["code"], refused.error["attempt"]) == ("failed", "bad_dataset", 0)
    assert refused.awaits_dataset


def test_statuses_are_asked_together(runs: RunRegistry):
    runs.submit(a_run(1))
    ended_id = a_run(2).id
    runs.submit(a_run(2))
    runs.stop(ended_id, "now")
    unknown = "run-00000000000f"
    found = runs.statuses([RUN_ID, unknown, ended_id])
    assert found == {RUN_ID: RunStatus.QUEUED, unknown: None, ended_id: RunStatus.STOPPED}
