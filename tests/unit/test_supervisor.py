"""The supervisor of a run against a real Redis, its child scripted so that faults can be had at will."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.waits import once, scaled, wait_for
from trainyard.datasets.record import Dataset
from trainyard.lease import LeaseRules, Ownership
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.lifecycle import RunLife
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.storage.ids import new_dataset_id, new_run_id
from trainyard.storage.json_files import read_json
from trainyard.store.connection import connect
from workers.process import store_retry
from workers.runs import supervisor as supervisor_module
from workers.runs.drain_time import DrainTime
from workers.runs.supervisor import RunSupervisor

CONTENT_HASH = "c0de" * 16


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path / "storage")


@pytest.fixture
def runs(server, storage):
    return RunRegistry(connect(server.url), storage, LeaseRules(lease_s=scaled(3)))


@pytest.fixture
def life(server, storage, runs):
    return RunLife(connect(server.url), storage, runs)


@pytest.fixture
def claimed(runs, server, storage, monkeypatch):
    """Gives a claimed run whose child follows the script of that name."""
    monkeypatch.setattr(supervisor_module, "TRAINING_CHILD", "tests.unit.scripted_child")
    datasets = DatasetRegistry(connect(server.url), storage)

    def claim(script: str, asked: Mapping[str, Any] | None = None) -> Run:
        dataset_id = new_dataset_id()
        datasets.submit(Dataset(id=dataset_id, name="d", project="p", created_at=0))
        prepared = storage.dataset(dataset_id).version(CONTENT_HASH)
        prepared.mkdir(parents=True)
        (prepared / "script").write_text(script)
        spec = Experiments(REPOSITORY / "configs").compose({"epochs": 5, **(asked or {})})
        run = Run(
            id=new_run_id(), project="p", name="n", dataset_id=dataset_id, dataset_hash=CONTENT_HASH,
            queue="train", spec=spec, created_at=0, epochs=5, labels={},
        )  # fmt: skip
        runs.submit(run)
        found = runs.claim("train", "me")
        assert found is not None
        return found

    return claim


@pytest.fixture
def supervised(runs, storage):
    """Supervises a run to its end, with a way to drain."""

    def supervise(run: Run, draining: threading.Event | None = None) -> Run:
        ownership = Ownership(runs.rules, time.monotonic())
        RunSupervisor(runs, storage, 1, draining or threading.Event(), run, ownership).supervise()
        return runs.get(run.id)

    return supervise


def away(
    runs: RunRegistry, run: Run, leave: Callable[[], Any], come_back: Callable[[], Any], seconds: float
) -> threading.Thread:
    """Take Redis away for so long once the run has had an epoch."""

    def outage() -> None:
        leave()
        time.sleep(seconds)
        come_back()

    return once(lambda: runs.get(run.id).epoch, outage)


def event_names(storage: Storage, run: Run) -> list[str]:
    lines = storage.run(run.id).events.read_text().splitlines()
    return [data.get("status", data["event"]) for data in map(json.loads, lines)]


def test_a_result_leaves_the_run_to_be_finished_in_redis_and_on_disk(claimed, supervised, storage):
    run = supervised(claimed("ok"))
    assert (run.status, run.epoch, run.step, run.owner) == (RunStatus.FINISHING, 5, 10, None)
    assert read_json(storage.run(run.id).record)["status"] == "finishing"
    assert event_names(storage, run) == ["running", "epoch", "finishing"]
    assert [attempt.reason for attempt in run.attempts] == ["trained"]


def test_a_target_raised_when_training_had_ended_is_trained_to(claimed, supervised, runs, storage):
    """The child no longer listened: it ends with the target that it knew."""
    run = claimed("ok")
    runs.retarget(run.id, 9)
    run = supervised(run)
    assert (run.status, run.epochs, run.owner, run.result) == (RunStatus.QUEUED, 9, None, None)
    assert (run.crashes, run.attempts[-1].reason) == (0, "retargeted")
    assert event_names(storage, run) == ["running", "epoch", "queued"]
    again = runs.claim("train", "me")
    assert (again.id, again.epochs) == (run.id, 9)


@pytest.mark.parametrize("epochs", [5, 4, 1])
def test_a_target_that_is_reached_ends_training(claimed, supervised, runs, epochs):
    run = claimed("ok")
    runs.retarget(run.id, epochs)
    assert supervised(run).status == RunStatus.FINISHING


def test_a_typed_failure_is_kept_as_it_is(claimed, supervised):
    run = supervised(claimed("refused"))
    assert run.status is RunStatus.FAILED
    assert (run.error["code"], run.error["cause"], run.error["attempt"]) == ("nan_loss", "user", 1)


def test_an_engine_that_raises_fails_the_run_and_says_how(claimed, supervised):
    run = supervised(claimed("crash"))
    assert run.status is RunStatus.FAILED
    assert run.error["code"] == "engine_error"
    assert "exit code 1 " in run.error["message"]
    assert run.epoch == 1, "what was reported before is kept"


def test_a_killed_child_is_tried_again_until_it_is_enough(claimed, supervised, runs, storage):
    run = claimed("killed")
    for attempt in range(1, runs.rules.max_crashes):
        waiting = supervised(run)
        assert (waiting.status, waiting.crashes, waiting.owner) == (RunStatus.QUEUED, attempt, None)
        run = runs.claim("train", f"worker {attempt}")
    failed = supervised(run)
    assert failed.status is RunStatus.FAILED
    assert "exit code -9 " in failed.error["message"]
    assert event_names(storage, run)[-1] == "failed"


def test_a_stop_reaches_the_child(claimed, supervised, runs):
    run = claimed("until stopped")
    runs.stop(run.id, "now")
    assert supervised(run).status is RunStatus.STOPPED


def test_a_child_that_ended_itself_for_want_of_word_counts_as_no_crash(claimed, supervised):
    released = supervised(claimed("fenced"))
    assert (released.status, released.crashes, released.epoch) == (RunStatus.QUEUED, 0, 1)
    assert [attempt.reason for attempt in released.attempts] == ["fenced"]


def test_a_cancelled_run_ends_with_its_child_and_leaves_no_results(claimed, supervised, runs, life, storage):
    run = claimed("until stopped")
    folder = storage.run(run.id)
    folder.checkpoints.mkdir(parents=True)
    folder.last_checkpoint.write_bytes(b"work")
    life.cancel(run.id)
    ended = supervised(run)
    assert (ended.status, ended.owner, ended.crashes) == (RunStatus.CANCELLED, None, 0)
    assert not folder.checkpoints.exists()
    assert not folder.metrics_json.exists()
    assert event_names(storage, run)[-1] == "cancelled"


def test_a_retried_run_clears_what_was_there(claimed, supervised, runs, life, storage):
    run = supervised(claimed("refused"))
    folder = storage.run(run.id)
    folder.checkpoints.mkdir(parents=True)
    folder.last_checkpoint.write_bytes(b"of the first attempt")
    storage.dataset(run.dataset_id).version(CONTENT_HASH).joinpath("script").write_text("killed")
    life.retry(run.id)
    waiting = supervised(runs.claim("train", "me"))
    assert (waiting.status, waiting.crashes) == (RunStatus.QUEUED, 1)
    assert not folder.last_checkpoint.exists()


def test_a_fork_records_what_it_began_with(claimed, supervised, runs):
    run = claimed("fork")
    held = runs.update(run, forked_from={"run_id": "run-000000000001", "checkpoint": "best"})
    origin = supervised(held).forked_from
    assert (origin.run_id, origin.checkpoint) == ("run-000000000001", "best")
    assert (origin.loaded_layers, origin.total_layers, origin.skipped) == (9, 10, ("head (absent)",))


def test_the_record_tells_which_batches_were_trained(claimed, supervised, runs, life, storage):
    run = claimed("other batches", {"data": {"batch_size": "auto"}})
    held = run.spec.to_dict()
    ended = supervised(run)
    wanted = {
        **held,
        "data": {**held["data"], "batch_size": 4},
        "optimization": {**held["optimization"], "accumulate_batches": 2},
    }
    assert held["data"]["batch_size"] == "auto"
    assert ended.spec.to_dict() == wanted
    assert read_json(storage.run(run.id).record)["spec"] == wanted
    assert event_names(storage, run).count("batch") == 2
    runs.finish(runs.claim("finish", "me"), RunStatus.COMPLETED)
    life.resume(run.id, 6)
    assert runs.claim("train", "another").spec == ended.spec


def test_draining_gives_the_run_back(claimed, supervised, runs, storage):
    run = claimed("until stopped")
    draining = threading.Event()
    once(lambda: runs.get(run.id).epoch, draining.set)
    released = supervised(run, draining)
    assert (released.status, released.owner) == (RunStatus.QUEUED, None)
    again = runs.claim("train", "another")
    assert (again.id, again.fence) == (run.id, run.fence + 1)
    assert event_names(storage, run)[-1] == "queued"


def test_draining_lets_the_child_save_and_keeps_what_it_saved(claimed, supervised, runs, storage):
    run = claimed("train")
    folder, draining = storage.run(run.id), threading.Event()
    once(folder.last_checkpoint.exists, draining.set)
    released = supervised(run, draining)
    assert (released.status, released.crashes, released.epoch, released.step) == (RunStatus.QUEUED, 0, 2, 4)
    last, previous = (released.checkpoints[name] for name in ("last", "previous"))
    assert (last.epoch, previous.epoch) == (2, 1)
    assert folder.last_checkpoint.read_bytes() == (folder.path / last.file).read_bytes()
    assert read_json(folder.checkpoints / "last.ckpt.json") == {"epoch": 2, "kind": "last"}
    assert folder.log.read_text() == "training\n"
    (attempt,) = released.attempts
    assert (attempt.attempt, attempt.worker, attempt.device) == (1, "me", "abacus")
    assert (attempt.reason, attempt.epochs) == ("drained", 2)
    assert attempt.ended_at >= attempt.started_at


@pytest.mark.parametrize("script", ["train", "until stopped"])
def test_draining_while_redis_is_away_leaves_the_run_to_another_worker(
    claimed, runs, storage, server, monkeypatch, script
):
    """A result, or nothing, waits to be told; the worker exits all the same, and the lease lapses."""
    monkeypatch.setattr(store_retry, "LAST_WORDS_S", 0.5)
    monkeypatch.setattr(DrainTime, "seconds", 0.5)
    run, draining = claimed(script), threading.Event()
    ownership = Ownership(runs.rules, time.monotonic())
    supervisor = RunSupervisor(runs, storage, 1, draining, run, ownership)
    thread = threading.Thread(target=supervisor.supervise)
    thread.start()
    wait_for(lambda: runs.get(run.id).epoch)
    server.kill()
    draining.set()
    thread.join(scaled(30))
    assert not thread.is_alive()
    server.start()

    def claimed_again() -> Run | None:
        runs.reap()
        return runs.claim("train", "another")

    again = wait_for(claimed_again)
    assert (again.id, again.fence) == (run.id, run.fence + 1)


def test_a_child_that_cannot_be_ended_is_a_fault_that_is_tried_again(
    claimed, supervised, runs, storage, monkeypatch
):
    """As when a driver or storage holds it."""
    monkeypatch.setattr(supervisor_module.Child, "wait", lambda child, seconds: child.kill())
    waiting = supervised(claimed("killed"))
    assert (waiting.status, waiting.crashes) == (RunStatus.QUEUED, 1)
    assert waiting.attempts[-1].reason == "child_died"


def test_what_a_given_up_child_writes_stays_unseen(claimed, supervised, runs, storage):
    run = claimed("train")
    runs.release(run)
    newer = runs.claim("train", "another")
    seen = runs.get(run.id)
    assert supervised(run) == seen
    assert (seen.fence, seen.checkpoints, seen.attempts[-1].worker) == (newer.fence, {}, "another")
    folder = storage.run(run.id)
    shown = {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()}
    assert {path for path in shown if not path.startswith(".attempts/")} <= {"run.json", "events.jsonl"}


def test_every_attempt_leaves_its_reason(claimed, supervised, runs):
    run = claimed("killed")
    for _ in range(1, runs.rules.max_crashes):
        supervised(run)
        run = runs.claim("train", "me")
    assert [one.reason for one in supervised(run).attempts] == ["child_died"] * runs.rules.max_crashes


def test_an_outage_of_redis_loses_nothing(claimed, supervised, runs, server, storage):
    run = claimed(f"slow {scaled(0.5)}")
    outage = away(runs, run, server.kill, server.start, scaled(2.5))
    ended = supervised(run)
    outage.join()
    assert ended.status is RunStatus.FINISHING
    assert event_names(storage, run) == ["running", *["epoch"] * 5, "finishing"]
    assert [row["epoch"] for row in read_json(storage.run(run.id).metrics_json)["rows"]] == [1, 2, 3, 4, 5]


def test_an_attempt_that_lost_its_run_writes_nothing(claimed, supervised, runs):
    run = claimed("until stopped")
    runs.release(run)
    newer = runs.claim("train", "another")
    kept = supervised(run)
    assert (kept.status, kept.owner, kept.fence) == (RunStatus.RUNNING, "another", newer.fence)
    assert kept.epoch == 0


def test_an_outage_longer_than_the_lease_halts_the_run_and_loses_nothing(
    claimed, supervised, runs, server, storage, caplog
):
    run = claimed(f"slow {scaled(1)}")
    outage = away(runs, run, server.kill, server.start, scaled(4))
    ended = supervised(run)
    outage.join()
    assert ended.status is RunStatus.FINISHING
    assert (ended.fence, ended.crashes) == (1, 0)
    assert "is halted" in caplog.text
    assert "goes on" in caplog.text
    assert event_names(storage, run) == ["running", *["epoch"] * 5, "finishing"]


def test_a_redis_that_hangs_halts_the_run_which_goes_on_in_memory(
    claimed, supervised, runs, server, storage, caplog
):
    """The first late answer renews a lease that has lapsed again: it must not let the child go on."""
    run = claimed(f"slow {scaled(1)}")
    outage = away(runs, run, server.hang, server.answer, scaled(4))
    ended = supervised(run)
    outage.join()
    assert ended.status is RunStatus.FINISHING
    assert (ended.fence, ended.crashes) == (1, 0)
    assert caplog.text.index("is halted") < caplog.text.index("goes on")
    assert [attempt.reason for attempt in ended.attempts] == ["trained"]
    assert event_names(storage, run) == ["running", *["epoch"] * 5, "finishing"]
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("lease of")]
