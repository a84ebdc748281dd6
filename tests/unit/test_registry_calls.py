"""What each call of the registry answers, logs and leaves in storage."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.records import PROGRESS, a_run
from trainyard.errors import NotFound, OwnershipLost, StorageUnavailable, StoreUnavailable
from trainyard.lease import LeaseRules
from trainyard.registry import runs as registry_runs
from trainyard.registry.runs import RunRegistry
from trainyard.runs.events import CheckpointSaved, StatusChanged, to_dict
from trainyard.runs.record import Run, RunStatus
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.records import REBUILDING

FIRST, SECOND = a_run(1).id, a_run(2).id


@pytest.fixture
def runs(client: Client, storage: Storage) -> RunRegistry:
    return RunRegistry(client, storage, LeaseRules(lease_s=600, max_crashes=2))


def held(runs: RunRegistry, number: int = 1) -> Run:
    runs.submit(a_run(number))
    found = runs.claim("train", "w")
    assert found
    return found


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def broken(runs: RunRegistry, client: Client) -> None:
    runs.submit(a_run(1))
    client.hset(keys.record("run", FIRST), "spec", "broken")
    runs._store.edit(SECOND, {})
    client.sadd(keys.unmirrored("run"), FIRST)


def test_projects_and_names_are_read_without_the_rest(runs: RunRegistry, client: Client):
    runs.submit(a_run(1, project="p", name="one"))
    client.hset(keys.record("run", FIRST), "spec", "broken")
    assert (runs.project_of(FIRST), runs.project_of(SECOND)) == ("p", None)
    assert runs.names([FIRST, SECOND, "../x", ""]) == {FIRST: "one"}
    assert runs.names(["../x"]) == {}
    assert (runs.exists(FIRST), runs.exists(SECOND)) == (True, False)
    assert runs.unknown([FIRST, SECOND]) == {SECOND}
    with pytest.raises(NotFound):
        runs.project_of("../x")


def test_what_is_absent_is_unknown_removed_or_not_here_yet(runs: RunRegistry, client: Client):
    runs.submit(a_run(1))
    client.flushall()
    with pytest.raises(StoreUnavailable, match=REBUILDING):
        runs.get(FIRST)
    with pytest.raises(NotFound) as caught:
        runs.get(SECOND)
    assert caught.value.message == f"There is no run {SECOND}."
    client.set(keys.removed("run", FIRST), 1)
    for call in (lambda: runs.get(FIRST), lambda: runs.edit(FIRST, {"name": "x"})):
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.message == f"There is no run {FIRST}."


def test_an_empty_list_is_told_apart_from_one_that_is_not_here_yet(runs: RunRegistry, client: Client):
    assert runs.page().items == []
    runs.require_complete()
    runs.submit(a_run(1))
    client.flushall()
    for call in (runs.page, runs.require_complete):
        with pytest.raises(StoreUnavailable, match=REBUILDING):
            call()
    client.set(keys.INDEXED, 1)
    assert runs.page().items == []
    runs.require_complete()


def test_runs_are_read_in_the_order_asked_for(runs: RunRegistry):
    runs.submit(a_run(1))
    runs.submit(a_run(2))
    assert [run.id for run in runs.several([SECOND, FIRST, SECOND])] == [SECOND, FIRST, SECOND]
    with pytest.raises(NotFound, match=a_run(3).id):
        runs.several([FIRST, a_run(3).id])


def test_an_adopted_run_is_kept_once(runs: RunRegistry, storage: Storage, client: Client):
    ended = a_run(1, status=RunStatus.COMPLETED, epoch=4)
    created, stored = runs.adopt(ended)
    assert (created, stored.status, runs.get(FIRST)) == (True, RunStatus.COMPLETED, stored)
    assert read_json(storage.run(FIRST).record) == runs.to_json(stored)
    assert runs.adopt(ended) == (False, stored)
    assert runs.claim("train", "w") is None
    client.flushall()
    with pytest.raises(StoreUnavailable, match=REBUILDING):
        runs.adopt(ended)


def test_one_that_cannot_be_read_keeps_no_other_from_its_file(
    runs: RunRegistry, client: Client, caplog: pytest.LogCaptureFixture
):
    broken(runs, client)
    runs._store.submit(a_run(2), SECOND, "queued")
    with caplog.at_level(logging.ERROR):
        assert runs.repair_mirrors() == [SECOND]
    [(level, message)] = logged(caplog)
    assert level == "ERROR"
    assert message.startswith(f"{FIRST} cannot be read, and storage keeps what it has: ")
    assert runs.repair_mirrors() == []


def test_the_first_of_several_failures_is_raised_once_all_were_tried(runs: RunRegistry):
    tried = []

    def work(run_id: str) -> Any:
        tried.append(run_id)
        raise StorageUnavailable(f"failed for {run_id}")

    with pytest.raises(StorageUnavailable, match="failed for a"):
        runs._each(["a", "b"], work)
    assert tried == ["a", "b"]

    def gone(run_id: str) -> Any:
        tried.append(run_id)
        raise StoreUnavailable("gone")

    with pytest.raises(StoreUnavailable, match="gone"):
        runs._each(["c", "d"], gone)
    assert tried == ["a", "b", "c"]


def test_a_file_that_cannot_be_written_stays_behind(
    runs: RunRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    run = held(runs)

    def failing(_: Run) -> None:
        raise StorageUnavailable("the disk is full")

    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(runs, "_write", failing)
        assert runs.update(run, epoch=3).epoch == 3
    assert logged(caplog) == [("ERROR", f"The file of {FIRST} stays behind for now: the disk is full")]
    assert runs.repair_mirrors() == [FIRST]


def test_a_holder_reports_and_hears_what_is_wished(runs: RunRegistry):
    run = held(runs)
    assert runs.report(run, PROGRESS) == runs.live.signals(FIRST)
    assert runs.live.progress(FIRST) == to_dict(PROGRESS)
    runs.stop(FIRST, "now")
    assert runs.report(run, None).stop == "now"
    assert runs.live.progress(FIRST) == to_dict(PROGRESS)


def test_a_holder_is_heard_by_followers_and_nobody_else(runs: RunRegistry, client: Client):
    run, event = held(runs), StatusChanged(status="running", revision=1)
    event_id = runs.stream(run, event)
    assert runs.live.read(FIRST, "0", 1) == [(event_id, to_dict(event))]
    released = runs.release(run)
    assert released.attempts[-1].reason == "drained"
    with pytest.raises(OwnershipLost) as caught:
        runs.stream(run, event)
    assert caught.value.message == f"{FIRST} is held by another attempt."
    assert len(runs.live.read(FIRST, "0", 1)) == 1


def test_a_claim_that_redis_forgot_is_in_force_again(runs: RunRegistry, client: Client):
    run = held(runs)
    runs._store.restore(
        {FIRST: runs._store.codec.evolve(run, revision=run.revision + 1)}, runs._life, runs.rules
    )
    client.hset(keys.record("run", FIRST), mapping={"status": "queued", "lost_owner": "w"})
    client.hdel(keys.record("run", FIRST), "owner")
    with pytest.raises(StoreUnavailable) as caught:
        runs.update(run, epoch=2)
    assert caught.value.message == f"Redis had forgotten who holds {FIRST}, and knows again."
    assert runs.update(run, epoch=2).epoch == 2


def test_what_was_lost_for_good_is_told_with_its_log(runs: RunRegistry, storage: Storage, client: Client):
    for _ in range(2):
        run = held(runs)
        storage.run(FIRST).log.parent.mkdir(parents=True, exist_ok=True)
        storage.run(FIRST).log.write_text("the last words\n")
        client.zadd("ty:leases:run", {FIRST: 1})
        [reaped] = runs.reap()
        assert reaped == runs.get(FIRST)
    assert reaped.error
    assert (reaped.status, reaped.error["code"], reaped.error["attempt"]) == (
        "failed",
        "worker_lost",
        run.fence,
    )
    assert "the last words" in str(reaped.error["log_tail"])
    lines = storage.run(FIRST).events.read_text().splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["queued", "failed"]
    assert read_json(storage.run(FIRST).record)["status"] == "failed"


def test_a_crash_and_the_ends_are_the_holders(runs: RunRegistry):
    run = held(runs)
    crashed = runs.crash(run, {"code": "broke"})
    assert (crashed.status, crashed.attempts[-1].reason, crashed.crashes) == ("queued", "broke", 1)
    again = held(runs)
    assert runs.held_by("w", "train") == runs.get(FIRST)
    assert runs.held_by("other", "train") is None
    assert runs.held_by("w", "finish") is None
    fenced = runs.release(again, "fenced")
    assert fenced.attempts[-1].reason == "fenced"
    for call in (lambda: runs.crash(again, {"code": "x"}), lambda: runs.finish(again, "completed")):
        with pytest.raises(OwnershipLost):
            call()


def save(storage: Storage, name: str, epoch: int) -> CheckpointSaved:
    path = storage.run(FIRST).path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
    path.with_name(f"{path.name}.json").write_text("{}")
    return CheckpointSaved(
        kinds=("last", "epoch"), epoch=epoch, step=epoch, file="last.ckpt", stored=name, bytes=1, sha256=name,
        after=None,
    )  # fmt: skip


def test_a_commit_keeps_so_many_and_deletes_what_it_supersedes(
    runs: RunRegistry, storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    run = held(runs)
    run = runs._store.codec.evolve(run, spec=_keeping(run, 1))
    for epoch in (1, 2):
        run = runs._store.codec.evolve(
            runs.commit(run, save(storage, f"a/{epoch}", epoch), f"a/{epoch}"), spec=run.spec
        )
    assert sorted(run.checkpoints) == ["epoch=002", "last"]
    assert not (storage.run(FIRST).path / "a/1").exists()
    assert (storage.run(FIRST).path / "a/2").exists()

    def failing(*_: object) -> None:
        raise StorageUnavailable("read-only")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(registry_runs, "discard", failing)
        assert runs.commit(run, save(storage, "a/3", 3), "a/3").epoch == 3
    assert logged(caplog) == [("WARNING", f"Run {FIRST}: read-only")]


def _keeping(run: Run, count: int) -> Any:
    return replace(run.spec, checkpoints=replace(run.spec.checkpoints, keep_last=count))


def test_followers_that_cannot_be_told_learn_it_from_the_record(
    runs: RunRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    runs.submit(a_run(1))

    def failing(*_: object) -> str:
        raise StoreUnavailable("Redis is away")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(runs.live, "append", failing)
        assert runs.stop(FIRST, "now").status == RunStatus.STOPPED
    message = f"Run {FIRST} is stopped, and followers are not told: Redis is away"
    assert logged(caplog) == [("WARNING", message)]


def test_runs_that_an_older_release_changed_are_listed_again(runs: RunRegistry, client: Client):
    runs.submit(a_run(1))
    client.set(keys.LISTS, keys.LISTS_VERSION)
    client.sadd(keys.UNLISTED, FIRST, SECOND)
    client.delete(f"{keys.record('run', FIRST)}:listed")
    assert runs.list_again() == [FIRST]
    assert client.exists(f"{keys.record('run', FIRST)}:listed")
    assert client.smembers(keys.UNLISTED) == set()
