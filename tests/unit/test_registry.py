"""Redis decides, storage mirrors."""

import json
from typing import Any

import pytest

from tests.unit.records import a_run
from trainyard.errors import Conflict, NotFound, OwnershipLost, StorageUnavailable, StoreUnavailable
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store.connection import connect


@pytest.fixture
def runs(redis_url: str, storage: Storage) -> RunRegistry:
    return RunRegistry(connect(redis_url), storage)


def mirror(storage: Storage, run: Run) -> dict[str, Any]:
    return read_json(storage.run(run.id).record)


def events(storage: Storage, run: Run) -> list[dict[str, Any]]:
    path = storage.run(run.id).events
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_every_transition_is_mirrored_with_its_revision(runs: RunRegistry, storage: Storage):
    created, run = runs.submit(a_run(1))
    assert created
    seen = [run.revision]
    for change in (
        lambda _: runs.edit(a_run(1).id, {"name": "new"}),
        lambda _: runs.claim("train", "w"),
        lambda held: runs.update(held, epoch=1),
        lambda held: runs.release(held),
        lambda _: runs.claim("train", "w"),
        lambda held: runs.finish(held, RunStatus.COMPLETED, result={"epoch": 2}),
    ):
        found = change(run)
        assert found
        run = found
        assert mirror(storage, run) == runs.to_json(run)
        seen.append(run.revision)
    assert seen == sorted(set(seen))
    assert runs.get(run.id) == run


def test_a_second_submit_changes_nothing(runs: RunRegistry, storage: Storage):
    _, first = runs.submit(a_run(1))
    created, second = runs.submit(a_run(1, name="other"))
    assert not created
    assert second == first
    assert mirror(storage, first)["name"] == first.name


def test_a_stale_mirror_does_not_stay(runs: RunRegistry, storage: Storage, monkeypatch: pytest.MonkeyPatch):
    """A writer that falls behind another one puts the newer revision down at last."""
    _, run = runs.submit(a_run(1))
    write, raced = runs._write, []

    def slow_write(record: Run) -> None:
        if not raced:
            raced.append(record)
            runs._store.edit(run.id, {"name": "by another process"})
        write(record)

    monkeypatch.setattr(runs, "_write", slow_write)
    runs.edit(run.id, {"notes": "mine"})
    found = mirror(storage, run)
    assert (found["name"], found["notes"]) == ("by another process", "mine")


def test_unknown_runs(runs: RunRegistry):
    for call in (
        lambda i: runs.get(i),
        lambda i: runs.edit(i, {"name": "x"}),
        lambda i: runs.stop(i, "now"),
        lambda i: runs.retarget(i, 3),
        lambda i: runs.move_to_front(i),
        lambda i: runs.move_beside(i, "run-000000000001", 1),
    ):
        for run_id in ("run-000000000009", "../x", "", "run-00000000000G"):
            with pytest.raises(NotFound):
                call(run_id)


def test_an_ended_run_refuses_and_says_its_state(runs: RunRegistry):
    _, run = runs.submit(a_run(1))
    held = runs.claim("train", "w")
    assert held
    runs.finish(held, RunStatus.FAILED)
    for call in (lambda: runs.stop(run.id, "now"), lambda: runs.retarget(run.id, 3)):
        with pytest.raises(Conflict) as found:
            call()
        assert found.value.errors == {"status": "failed"}
    with pytest.raises(OwnershipLost):
        runs.update(held, epoch=9)


def test_only_the_stop_that_ends_a_run_tells_of_it(runs: RunRegistry, storage: Storage):
    _, run = runs.submit(a_run(1))
    for _ in range(2):
        assert runs.stop(run.id, "now").status == RunStatus.STOPPED
    assert [event["status"] for event in events(storage, run)] == ["stopped"]
    assert [event["status"] for _, event in runs.live.read(run.id, "0", 1)] == ["stopped"]


def test_a_running_run_only_hears_of_a_stop(runs: RunRegistry, storage: Storage):
    runs.submit(a_run(1))
    held = runs.claim("train", "w")
    assert held
    assert runs.stop(held.id, "epoch").status == RunStatus.RUNNING
    assert events(storage, held) == []
    assert runs.live.signals(held.id).stop == "epoch"


def test_without_redis_nothing_is_accepted(storage: Storage):
    runs = RunRegistry(connect("redis://127.0.0.1:1/0"), storage)
    with pytest.raises(StoreUnavailable):
        runs.submit(a_run(1))


def test_without_storage_nothing_reaches_redis(runs: RunRegistry, storage: Storage):
    (storage.root / "runs").write_text("a file where the folder should be")
    with pytest.raises(StorageUnavailable):
        runs.submit(a_run(1))
    with pytest.raises(NotFound):
        runs.get(a_run(1).id)
