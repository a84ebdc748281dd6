"""How a run ends whose training failed, against a real Redis, with real processes and real storage."""

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.records import a_run
from trainyard.errors import DatasetChanged, HostOutOfMemory, StorageUnavailable
from trainyard.lease import LeaseRules, Ownership
from trainyard.registry.runs import RunRegistry
from trainyard.runs.failures import ANOTHER_TRY_HELPS
from trainyard.runs.record import Run, RunStatus
from trainyard.spec.experiments import load_spec
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store.connection import connect
from workers.process import oom_kills as oom_kills_module
from workers.runs import supervisor as supervisor_module
from workers.runs import time_limit as time_limit_module
from workers.runs.files import lagging_files
from workers.runs.supervisor import RunSupervisor

CONTENT_HASH = "c0de" * 16
SECOND_H = 1 / 3600


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "storage")


@pytest.fixture
def runs(redis_url: str, storage: Storage) -> RunRegistry:
    return RunRegistry(connect(redis_url), storage, LeaseRules(lease_s=10, max_crashes=2))


@pytest.fixture
def claimed(runs: RunRegistry, storage: Storage, monkeypatch: pytest.MonkeyPatch):
    """Gives a claimed run whose child does what the script says."""
    monkeypatch.setattr(supervisor_module, "TRAINING_CHILD", "tests.unit.failing_child")

    def claim(script: dict[str, Any], **values: Any) -> Run:
        run = a_run(1, dataset_hash=CONTENT_HASH, **values)
        prepared = storage.dataset(run.dataset_id).version(CONTENT_HASH)
        prepared.mkdir(parents=True)
        (prepared / "script").write_text(json.dumps(script))
        runs.submit(run)
        return runs.claim("train", "me")

    return claim


@pytest.fixture
def supervised(runs: RunRegistry, storage: Storage):
    """Supervises an attempt to its end; how the run then stands."""

    def supervise(run: Run, max_hours: float | None = None) -> Run:
        ownership = Ownership(runs.rules, time.monotonic())
        RunSupervisor(runs, storage, 1, threading.Event(), run, ownership, max_hours).supervise()
        return runs.get(run.id)

    return supervise


def statuses(runs: RunRegistry, run: Run) -> list[str]:
    """What the followers of a run heard."""
    return [event.get("status", event["event"]) for _, event in runs.live.read(run.id, "0", 1)]


@pytest.mark.parametrize("code", sorted(ANOTHER_TRY_HELPS))
def test_each_code_does_what_the_table_says(claimed, supervised, code: str):
    error = {"code": code, "cause": "user", "message": "m", "remedy": "r", "errors": {}}
    run = supervised(claimed({"error": error}))
    if ANOTHER_TRY_HELPS[code]:
        assert (run.status, run.crashes, run.error) == (RunStatus.QUEUED, 1, None)
    else:
        assert (run.status, run.crashes, run.owner) == (RunStatus.FAILED, 0, None)
        assert run.error["code"] == code
    assert run.used_seconds > 0


def test_a_failure_tells_its_attempt_its_log_and_its_memory(claimed, supervised, storage: Storage):
    error = {**HostOutOfMemory("twice too large").to_dict(), "device_peak_bytes": 123}
    run = claimed({"error": {**error, "code": "cuda_out_of_memory"}})
    log = storage.run(run.id).attempt(run.fence).log
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {number}\n" for number in range(300)))
    found = supervised(run).error
    assert (found["attempt"], found["message"]) == (1, "twice too large")
    assert (len(found["log_tail"]), found["log_tail"][-1]) == (200, "line 299")
    assert found["peak_memory"]["device_bytes"] == 123
    assert "device_peak_bytes" not in found


def test_a_segfault_is_tried_again_and_then_named(claimed, supervised, runs: RunRegistry):
    again = supervised(claimed({"signal": signal.SIGSEGV}))
    assert again.status is RunStatus.QUEUED
    failed = supervised(runs.claim("train", "another"))
    assert (failed.status, failed.error["code"], failed.error["attempt"]) == (RunStatus.FAILED, "segfault", 2)


def test_a_fault_in_a_mapped_file_that_has_changed_is_no_crash(claimed, supervised):
    run = supervised(claimed({"signal": signal.SIGBUS}))
    assert (run.status, run.error["code"]) == (RunStatus.FAILED, "dataset_changed")


def test_a_kill_that_the_kernel_counted_is_a_lack_of_memory(claimed, supervised, runs, monkeypatch):
    counts = iter([0, 1, 1, 1])
    monkeypatch.setattr(oom_kills_module, "oom_kills", lambda: next(counts))
    assert supervised(claimed({"signal": signal.SIGKILL})).status is RunStatus.QUEUED
    failed = supervised(runs.claim("train", "another"))
    assert failed.error["code"] == "child_died", "nothing was counted in the second attempt"


def test_the_last_attempt_killed_for_want_of_memory_says_so(claimed, supervised, runs, monkeypatch):
    supervised(claimed({"signal": signal.SIGKILL}))
    counts = iter([5, 6])
    monkeypatch.setattr(oom_kills_module, "oom_kills", lambda: next(counts))
    failed = supervised(runs.claim("train", "another"))
    assert (failed.error["code"], failed.error["cause"]) == ("host_out_of_memory", "infrastructure")


def test_weights_that_have_gone_since(claimed, supervised):
    spec = a_run(1).spec.to_dict()
    spec["model"]["encoder_weights"] = "file:gone.pt"
    run = supervised(claimed({}, spec=load_spec(spec)))
    assert (run.status, run.error["code"], run.error["cause"]) == (
        RunStatus.FAILED,
        "weights_unavailable",
        "user",
    )


def test_a_lost_run_that_fails_takes_its_log_along(redis_url: str, storage: Storage):
    runs = RunRegistry(connect(redis_url), storage, LeaseRules(lease_s=0.05, max_crashes=1))
    runs.submit(a_run(1))
    run = runs.claim("train", "me")
    log = storage.run(run.id).log
    log.parent.mkdir()
    log.write_text("the end\n")
    time.sleep(0.1)
    (lost,) = runs.reap()
    assert (lost.status, lost.error["code"], lost.error["attempt"]) == (RunStatus.FAILED, "worker_lost", 1)
    assert lost.error["log_tail"] == ["the end"]
    assert read_json(storage.run(run.id).record)["error"] == lost.error


def test_hours_that_are_used_up_end_the_run_with_its_work_saved(claimed, supervised, runs: RunRegistry):
    run = supervised(claimed({"result": "stopped"}, max_hours=SECOND_H))
    assert (run.status, run.error["code"], run.error["cause"]) == (RunStatus.FAILED, "time_limit", "user")
    assert (run.epoch, run.step) == (1, 2)
    assert run.used_seconds >= 1
    assert "max_hours" in run.error["remedy"]


def test_the_bound_of_the_worker_counts_where_it_is_lower(claimed, supervised):
    run = supervised(claimed({"result": "stopped"}, max_hours=1000), SECOND_H)
    assert run.error["code"] == "time_limit"
    assert "TRAINYARD_MAX_HOURS" in run.error["remedy"]


def test_hours_of_earlier_attempts_count(claimed, supervised, storage: Storage):
    """No process is started where nothing is left."""
    run = supervised(claimed({"signal": signal.SIGKILL}, max_hours=1, used_seconds=3601.0))
    assert (run.status, run.error["code"], run.epoch) == (RunStatus.FAILED, "time_limit", 0)


def test_time_used_is_kept_when_an_attempt_breaks(claimed, supervised, runs: RunRegistry):
    first = supervised(claimed({"signal": signal.SIGKILL}, used_seconds=100.0))
    assert first.used_seconds > 100
    second = supervised(runs.claim("train", "another"))
    assert second.used_seconds > first.used_seconds


def test_a_run_that_does_not_stop_in_time_is_killed(claimed, supervised, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(time_limit_module, "STOP_GRACE_S", 0.3)
    run = supervised(claimed({"hang": True}, max_hours=0.3 * SECOND_H))
    assert (run.status, run.error["code"]) == (RunStatus.FAILED, "time_limit")


def test_a_client_s_stop_is_no_time_limit(claimed, supervised, runs: RunRegistry):
    run = claimed({"result": "stopped"}, max_hours=1)
    runs.stop(run.id, "now")
    assert supervised(run).status is RunStatus.STOPPED


def test_a_disk_that_is_full_fails_the_run_and_its_record_follows(
    claimed, supervised, runs: RunRegistry, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    run = claimed({"result": "stopped"})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        failed = supervised(run)
        assert (failed.status, failed.error["code"]) == (RunStatus.FAILED, "disk_full")
        assert "metrics.json could not be written: No space left" in failed.error["message"]
        assert statuses(runs, run)[-1] == "failed"
        with pytest.raises(StorageUnavailable):
            runs.repair_mirrors()
    assert read_json(storage.run(run.id).record)["status"] == "running"
    runs.repair_mirrors()
    assert read_json(storage.run(run.id).record) == runs.to_json(failed)
    assert not list(storage.run(run.id).path.glob(".*.tmp"))


def test_followers_hear_each_event_once_where_the_event_log_cannot_be_written(
    claimed, supervised, runs: RunRegistry, storage: Storage
):
    """And that ends no attempt."""
    run = claimed({"result": "completed"})
    storage.run(run.id).events.mkdir()
    ended = supervised(run)
    assert (ended.status, ended.crashes, ended.epoch) == (RunStatus.FINISHING, 0, 1)
    assert statuses(runs, run) == ["running", "epoch", "finishing"]


@pytest.mark.parametrize("name", ["events", "log", "tensorboard"])
def test_a_file_that_storage_takes_no_more_ends_no_attempt(
    claimed, supervised, storage: Storage, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr(lagging_files, "LAST_TRIES_S", 0.5)
    run = claimed({"result": "completed"})
    folder = storage.run(run.id)
    own = folder.attempt(run.fence)
    sources = {"events": folder.events, "log": own.log, "tensorboard": own.tensorboard / "events.1"}
    for file in (own.log, own.tensorboard / "events.1"):
        file.parent.mkdir(parents=True)
        file.write_text("news")
    sources[name].unlink(missing_ok=True)
    sources[name].mkdir()
    ended = supervised(run)
    assert (ended.status, ended.crashes) == (RunStatus.FINISHING, 0)
    kept = {"events": folder.events, "log": folder.log, "tensorboard": folder.tensorboard / "events.1"}
    assert [place for place, path in kept.items() if not path.is_file()] == [name]


def test_metrics_that_storage_does_not_take_cost_an_attempt(claimed, supervised, runs, storage: Storage):
    """Until it was tried often enough."""
    run = claimed({"result": "completed"})
    for attempt in (1, 2):
        (storage.run(run.id).attempt(attempt).path / "rows").parent.mkdir(parents=True, exist_ok=True)
        (storage.run(run.id).attempt(attempt).path / "rows").write_text("in the way")
    waiting = supervised(run)
    assert (waiting.status, waiting.crashes) == (RunStatus.QUEUED, 1)
    failed = supervised(runs.claim("train", "another"))
    assert (failed.status, failed.error["code"]) == (RunStatus.FAILED, "storage_unavailable")
    assert [one.reason for one in failed.attempts] == ["storage_unavailable"] * 2


def test_a_record_that_storage_does_not_take_is_written_later(
    claimed, supervised, runs: RunRegistry, storage: Storage
):
    run = claimed({"result": "completed"})
    record = storage.run(run.id).record
    record.unlink()
    record.mkdir()
    assert supervised(run).status is RunStatus.FINISHING
    with pytest.raises(StorageUnavailable):
        runs.repair_mirrors()
    record.rmdir()
    assert runs.repair_mirrors() == [run.id]
    assert read_json(record)["status"] == "finishing"
    record.unlink()
    assert runs.repair_mirrors() == []
    assert not record.exists(), "what is not behind is left alone"


def test_what_a_dead_process_left_half_written_is_removed(claimed, supervised, storage: Storage):
    run = claimed({"error": DatasetChanged().to_dict()})
    folder = storage.run(run.id).attempt(run.fence)
    whole = [folder.saved / "e001.ckpt", folder.onnx, folder.figures / "gallery" / "best-01.png"]
    half = [path.with_name(f".{path.name}.tmp") for path in whole]
    for path in (*whole, *half):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    supervised(run)
    assert [path.exists() for path in whole] == [True] * 3
    assert [path.exists() for path in half] == [False] * 3


def test_redis_gone_before_the_first_batch_costs_no_attempt(server, storage: Storage):
    """The training process is started all the same; what it finds is told when Redis is back."""
    runs = RunRegistry(connect(server.url), storage, LeaseRules(lease_s=30))
    runs.submit(a_run(1, dataset_hash=CONTENT_HASH))
    run = runs.claim("train", "me")
    server.kill()
    back = threading.Timer(0.5, server.start)
    back.start()
    ownership = Ownership(runs.rules, time.monotonic())
    RunSupervisor(runs, storage, 1, threading.Event(), run, ownership).supervise()
    back.join()
    ended = runs.get(run.id)
    assert (ended.error["code"], ended.crashes) == ("dataset_changed", 0)
    assert statuses(runs, run)[0] == "running"
