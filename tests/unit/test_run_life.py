"""Cancel, resume, retry and delete: Redis decides, storage mirrors, followers are told, results go."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.records import a_run
from trainyard.errors import Conflict, NotFound, OwnershipLost, StoreUnavailable, WorkerLost
from trainyard.lease import LeaseRules
from trainyard.registry.lifecycle import RunLife
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.storage.run_results import clear_results
from trainyard.store import keys
from trainyard.store.connection import Client, connect

RUN_ID = a_run(1).id


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


def begun(runs: RunRegistry, storage: Storage) -> Run:
    """A run that is held, with work of its own on disk."""
    runs.submit(a_run(1))
    held = runs.claim("train", "w")
    assert held
    folder = storage.run(held.id)
    for path in (
        folder.last_checkpoint,
        folder.onnx,
        folder.figures / "a.png",
        folder.log,
        folder.origin / "b",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"work")
    write_json(folder.metrics_json, {"rows": []})
    return held


def ended(runs: RunRegistry, storage: Storage, status: str, **values: Any) -> Run:
    return runs.finish(begun(runs, storage), status, **{"epoch": 4, "step": 8, **values})


def statuses(storage: Storage) -> list[str]:
    lines = storage.run(RUN_ID).events.read_text().splitlines()
    return [json.loads(line)["status"] for line in lines]


def results(storage: Storage) -> list[str]:
    root = storage.run(RUN_ID).path
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def lapse(runs: RunRegistry, held: Run, client: Client) -> None:
    client.zadd(keys.leases("run"), {held.id: 0})
    runs.reap()


@pytest.mark.parametrize(
    "let_go",
    [
        lambda runs, held, _: runs.finish(held, "cancelled"),
        lambda runs, held, _: runs.finish(held, "completed", result={"epoch": 5}),
        lambda runs, held, _: runs.hand_over(held, 5, epoch=5, used_seconds=1.0, result={"epoch": 5}),
        lambda runs, held, _: runs.finish(held, "failed", error={"code": "nan_loss"}),
        lambda runs, held, _: runs.release(held),
        lambda runs, held, _: runs.crash(held, WorkerLost().to_dict()),
        lapse,
    ],
    ids=["as cancelled", "completed", "at its target", "failed", "released", "crashed", "lapsed"],
)
def test_whoever_lets_go_of_a_cancelled_run_ends_it(
    runs: RunRegistry,
    life: RunLife,
    storage: Storage,
    client: Client,
    let_go: Callable[[RunRegistry, Run, Client], None],
):
    held = begun(runs, storage)
    assert life.cancel(RUN_ID).status == RunStatus.RUNNING
    assert runs.report(held, None).cancel
    let_go(runs, held, client)
    run = runs.get(RUN_ID)
    assert (run.status, run.owner, run.result, run.error) == (RunStatus.CANCELLED, None, None, None)
    assert run.ended_at
    assert read_json(storage.run(RUN_ID).record) == runs.to_json(run)
    assert [name for name in results(storage) if name != "events.jsonl"] == ["logs/training.log", "run.json"]
    assert runs.claim("train", "another") is None
    assert life.cancel(RUN_ID) == run, "asked for again it is as it was"
    with pytest.raises(OwnershipLost):
        runs.update(held, epoch=9)


def test_a_waiting_run_is_cancelled_at_once(runs: RunRegistry, life: RunLife, storage: Storage):
    runs.submit(a_run(1))
    for _ in range(2):
        assert life.cancel(RUN_ID).status == RunStatus.CANCELLED
    assert runs.claim("train", "w") is None
    assert statuses(storage) == ["cancelled"], "told once"


def test_a_resumed_run_goes_on_with_nothing_pending(runs: RunRegistry, life: RunLife, storage: Storage):
    held = begun(runs, storage)
    runs.retarget(RUN_ID, 9)
    runs.stop(RUN_ID, "now")
    runs.crash(held, WorkerLost().to_dict())
    again = runs.claim("train", "w")
    assert again
    runs.finish(again, "stopped", epoch=4)
    kept = results(storage)
    for epochs in (30, 30, None):
        run = life.resume(RUN_ID, epochs)
        assert (run.status, run.epochs, run.epoch, run.crashes) == (RunStatus.QUEUED, 30, 4, 0)
    assert set(kept) < set(results(storage)) | {"events.jsonl"}
    assert statuses(storage) == ["queued"]
    held = runs.claim("train", "w")
    assert held
    assert held.fence == again.fence + 1
    signals = runs.report(held, None)
    assert (signals.stop, signals.epochs, signals.stop_version) == (None, None, 1)
    assert life.resume(RUN_ID, 30).status == RunStatus.RUNNING, "it goes on because of that very request"
    with pytest.raises(Conflict) as refused:
        life.resume(RUN_ID, 31)
    assert refused.value.errors == {"status": "running"}


def test_a_completed_run_goes_on_only_to_a_higher_target(runs: RunRegistry, life: RunLife, storage: Storage):
    ended(runs, storage, "completed", result={"best_epoch": 2})
    for epochs in (None, 3, 4):
        with pytest.raises(Conflict) as refused:
            life.resume(RUN_ID, epochs)
        assert refused.value.errors == {"status": "completed", "epochs": ["above 4"]}
    run = life.resume(RUN_ID, 5)
    assert (run.status, run.epochs, run.result, run.ended_at) == (RunStatus.QUEUED, 5, None, None)


def test_a_retried_run_begins_afresh(runs: RunRegistry, life: RunLife, storage: Storage):
    failed = ended(runs, storage, "failed", error={"code": "nan_loss"})
    for _ in range(2):
        run = life.retry(RUN_ID)
        assert (run.status, run.checkpoints, run.error) == (RunStatus.QUEUED, {}, None)
        assert (run.epoch, run.step, run.crashes) == (0, 0, 0)
    held = runs.claim("train", "w")
    assert held
    assert held.fence == failed.fence + 1
    assert life.retry(RUN_ID).status == RunStatus.RUNNING


@pytest.mark.parametrize(
    ("status", "refused"),
    [
        ("completed", ["cancel", "retry"]),
        ("stopped", ["cancel", "retry"]),
        ("failed", ["cancel"]),
        ("cancelled", ["resume", "retry"]),
        ("queued", ["resume", "retry", "remove"]),
        ("running", ["resume", "retry", "remove"]),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_state(
    runs: RunRegistry, life: RunLife, storage: Storage, status: str, refused: list[str]
):
    if status == "queued":
        runs.submit(a_run(1))
    elif status == "running":
        begun(runs, storage)
    else:
        ended(runs, storage, status)
    before = runs.get(RUN_ID)
    calls = {
        "cancel": lambda: life.cancel(RUN_ID),
        "resume": lambda: life.resume(RUN_ID, None),
        "retry": lambda: life.retry(RUN_ID),
        "remove": lambda: life.remove(RUN_ID),
    }
    for name in refused:
        with pytest.raises(Conflict) as found:
            calls[name]()
        assert found.value.errors == {"status": status}
    assert runs.get(RUN_ID) == before


def test_a_run_whose_data_set_is_gone_does_not_come_back(
    runs: RunRegistry, life: RunLife, storage: Storage, client: Client
):
    ended(runs, storage, "failed")
    client.delete(keys.record("dataset", a_run(1).dataset_id))
    for call in (lambda: life.resume(RUN_ID, None), lambda: life.retry(RUN_ID)):
        with pytest.raises(Conflict) as found:
            call()
        assert "dataset_id" in found.value.errors


def test_a_deleted_run_leaves_nothing(runs: RunRegistry, life: RunLife, storage: Storage, client: Client):
    run = ended(runs, storage, "completed")
    runs.publish_status(run)
    for _ in range(2):
        life.remove(RUN_ID)
    with pytest.raises(NotFound):
        runs.get(RUN_ID)
    assert runs.page().items == []
    left = [key for key in client.scan_iter("ty:*") if RUN_ID in key]
    assert left == [keys.removed("run", RUN_ID)]
    assert list((storage.root / "runs").iterdir()) == []
    runs._mirrored(run)
    assert list((storage.root / "runs").iterdir()) == [], "a late writer does not bring it back"


def test_unknown_runs(life: RunLife):
    for run_id in ("run-000000000009", "../x", ""):
        for call in (life.cancel, life.retry, life.remove, lambda i: life.resume(i, 3)):
            with pytest.raises(NotFound):
                call(run_id)


def test_a_mirror_that_nobody_wrote_is_written_later(runs: RunRegistry, storage: Storage):
    runs.submit(a_run(1))
    assert runs.repair_mirrors() == []
    runs._store.claim("train", "dies now", runs._life, runs.rules)
    assert read_json(storage.run(RUN_ID).record)["status"] == "queued"
    assert runs.repair_mirrors() == [RUN_ID]
    assert read_json(storage.run(RUN_ID).record)["status"] == "running"
    assert runs.repair_mirrors() == []


def test_a_known_id_waits_until_redis_is_rebuilt(runs: RunRegistry, storage: Storage, client: Client):
    ended(runs, storage, "completed")
    client.flushall()
    kept = storage.run(RUN_ID).record.read_text()
    with pytest.raises(StoreUnavailable, match="rebuilt"):
        runs.submit(a_run(1))
    assert storage.run(RUN_ID).record.read_text() == kept


def test_a_fresh_start_keeps_the_log_and_what_a_fork_begins_with(runs: RunRegistry, storage: Storage):
    begun(runs, storage)
    clear_results(storage.run(RUN_ID))
    assert results(storage) == ["logs/training.log", "origin/b", "run.json"]
