"""Runs that are trained and owe their results, against a real Redis, with real processes and real storage."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from tests.unit.records import a_run
from trainyard.datasets.record import Dataset
from trainyard.errors import Conflict, OwnershipLost
from trainyard.lease import LeaseRules, Ownership
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.lifecycle import RunLife
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.scheduling.reindex import Reindex
from trainyard.spec.training_spec import ExportSpec
from trainyard.storage.files import RunFolder, Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.runs.queues import QueueStore
from workers.runs import time_limit as time_limit_module
from workers.runs.finishing import finishing_supervisor as supervisor_module
from workers.runs.finishing.finishing_supervisor import FinishingSupervisor

CONTENT_HASH = "c0de" * 16
RESULT = {"status": "completed", "best_epoch": 4, "best": {"val_miou": 0.5}, "export": None}


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(tmp_path / "storage")


@pytest.fixture
def runs(client: Client, storage: Storage) -> RunRegistry:
    return RunRegistry(client, storage, LeaseRules(lease_s=10, max_crashes=2))


@pytest.fixture
def life(client: Client, storage: Storage, runs: RunRegistry) -> RunLife:
    return RunLife(client, storage, runs)


@pytest.fixture
def script(client: Client, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Says what the finishing child does."""
    monkeypatch.setattr(supervisor_module, "FINISHING_CHILD", "tests.unit.scripted_finishing")
    dataset_id = a_run(1).dataset_id
    DatasetRegistry(client, storage).submit(Dataset(id=dataset_id, name="d", project="a", created_at=0))
    prepared = storage.dataset(dataset_id).version(CONTENT_HASH)
    prepared.mkdir(parents=True)

    def write(content: Any) -> None:
        (prepared / "finishing").write_text(json.dumps(content))

    write("ok")
    return write


@pytest.fixture
def trained(runs: RunRegistry, storage: Storage, script: Callable[[Any], None]) -> Callable[..., Run]:
    """Gives a run that was trained to its target and waits to be finished."""

    def train(number: int = 1, **values: Any) -> Run:
        runs.submit(a_run(number, dataset_hash=CONTENT_HASH, epochs=5, **values))
        return trained_by(runs, runs.claim("train", "trainer"))

    return train


def trained_by(runs: RunRegistry, held: Run | None, target: int = 5) -> Run:
    """Commits a checkpoint and hands over, as whoever has trained to that target by the last word it had."""
    assert held
    file = f".attempts/{held.fence}/.saved/e5.ckpt"
    folder = runs._storage.run(held.id)
    (folder.path / file).parent.mkdir(parents=True, exist_ok=True)
    (folder.path / file).write_text("weights")
    write_json(folder.path / f"{file}.json", {"epoch": 5})
    one = {"file": file, "epoch": 5, "step": 10, "bytes": 7, "sha256": "00"}
    held = runs.update(held, checkpoints={"last": one, "best": one})
    return runs.hand_over(held, target, epoch=5, step=10, used_seconds=1.0, result=RESULT)


@pytest.fixture
def finished(runs: RunRegistry, storage: Storage) -> Callable[..., Run]:
    """Finishes a claimed run; how it then stands."""

    def finish(held: Run | None = None, draining: threading.Event | None = None, **limits: Any) -> Run:
        held = held or runs.claim("finish", "finisher")
        assert held
        ownership = Ownership(runs.rules, time.monotonic())
        stopped = draining or threading.Event()
        FinishingSupervisor(runs, storage, 1, stopped, held, ownership, **limits).supervise()
        return runs.get(held.id)

    return finish


def results_of(storage: Storage, run: Run) -> list[str | None]:
    """Which attempt's report, model and figure the run shows, None where it has none."""
    folder = storage.run(run.id)
    files = (folder.report_json, folder.onnx, folder.figures / "overlay.png")
    return [json.loads(file.read_text())["attempt"] if file.exists() else None for file in files]


def statuses(storage: Storage, run: Run) -> list[str]:
    lines = map(json.loads, storage.run(run.id).events.read_text().splitlines())
    return [line["status"] for line in lines if line["event"] == "status"]


def test_its_device_is_free_and_nobody_owns_it(runs, trained):
    run = trained()
    assert (run.status, run.owner, run.started_at, run.epoch) == (RunStatus.FINISHING, None, None, 5)
    assert (run.result, run.attempts[-1].reason) == (RESULT, "trained")
    assert runs.claim("train", "trainer") is None
    assert runs.page("finishing").items == [run]


def test_it_completes_with_its_results_in_place(trained, finished, storage):
    run = trained()
    ended = finished()
    assert (ended.status, ended.owner, ended.results_of, ended.used_seconds) == ("completed", None, 2, 1.0)
    assert ended.result == {
        **RESULT,
        "export": {"file": "export/model.onnx", "of": "cpu", "wanted": asdict(run.spec.export)},
    }
    assert results_of(storage, run) == ["2", "2", "2"]
    told = [(attempt.reason, attempt.finishing) for attempt in ended.attempts]
    assert told == [("trained", False), ("completed", True)]
    assert statuses(storage, run) == ["completed"], "that it is finishing is told by who trained it"


def test_results_are_there_before_the_run_is_said_to_be_completed(
    runs, trained, finished, storage, monkeypatch
):
    run, seen = trained(), []
    finish = runs.finish
    monkeypatch.setattr(
        runs,
        "finish",
        lambda *args, **values: (seen.append(results_of(storage, run)), finish(*args, **values))[1],
    )
    finished()
    assert seen == [["2", "2", "2"]]


@pytest.mark.parametrize("epochs", [1, 5])
def test_no_lower_target_is_taken_and_there_is_nothing_to_stop(runs, trained, epochs):
    run = trained()
    for ask in (lambda: runs.retarget(run.id, epochs), lambda: runs.stop(run.id, "now")):
        with pytest.raises(Conflict) as refused:
            ask()
        assert refused.value.errors == {"status": "finishing"}
        assert "training has ended" in refused.value.remedy
    runs.claim("finish", "finisher")
    with pytest.raises(Conflict):
        runs.retarget(run.id, epochs)
    assert (runs.get(run.id).epochs, runs.live.signals(run.id).epochs_version) == (5, 0)


@pytest.mark.parametrize("is_held", [True, False])
def test_given_more_epochs_it_trains_on(runs, trained, finished, client, storage, is_held):
    run = trained()
    finisher = runs.claim("finish", "finisher") if is_held else None
    again = runs.retarget(run.id, 8)
    assert (again.status, again.epochs, again.epoch, again.owner) == ("queued", 8, 5, None)
    assert (again.result, again.crashes, again.interrupted) == (None, 0, True)
    assert again.attempts[-1].reason == ("retargeted" if finisher else "trained")
    assert client.zcard(keys.queue("finish")) == 0
    assert runs.retarget(run.id, 8).revision == again.revision, "asked for again, it changes nothing"
    if finisher:
        assert finished(finisher) == again, "it has lost the run, and says nothing of it"
        assert results_of(storage, run) == [None] * 3
    held = runs.claim("train", "trainer")
    assert (held.epochs, held.checkpoints) == (8, run.checkpoints)
    trained_by(runs, held, target=8)
    assert finished().status == "completed"


def test_a_finisher_that_redis_had_forgotten_does_not_take_back_what_trains_on(runs, trained, client):
    run = trained()
    finisher = runs.claim("finish", "finisher")
    client.zrem(keys.leases("run"), run.id)
    runs.requeue_lost()
    runs.renew(finisher)
    runs.retarget(run.id, 8)
    with pytest.raises(OwnershipLost):
        runs.renew(finisher)
    assert runs.get(run.id).status == RunStatus.QUEUED


def test_a_stop_that_came_too_late_does_not_end_what_trains_on(runs, script):
    runs.submit(a_run(1, dataset_hash=CONTENT_HASH, epochs=5))
    held = runs.claim("train", "trainer")
    runs.stop(held.id, "now")
    assert trained_by(runs, held).status == RunStatus.FINISHING
    runs.retarget(held.id, 8)
    signals = runs.live.signals(held.id)
    assert (signals.stop, signals.epochs) == (None, 8)


def test_a_target_raised_before_is_trained_to(runs, script):
    runs.submit(a_run(1, dataset_hash=CONTENT_HASH, epochs=5))
    held = runs.claim("train", "trainer")
    runs.retarget(held.id, 7)
    run = trained_by(runs, held)
    assert (run.status, run.epochs, run.result, run.attempts[-1].reason) == ("queued", 7, None, "retargeted")
    assert runs.claim("finish", "finisher") is None


def test_cancelled_as_it_waits_it_ends_at_once(runs, life, trained, client):
    run = life.cancel(trained().id)
    assert (run.status, run.result, run.checkpoints) == (RunStatus.CANCELLED, None, {})
    assert client.zcard(keys.queue("finish")) == 0
    assert runs.claim("finish", "finisher") is None


def test_cancelled_as_it_is_worked_on_its_finisher_ends_it(runs, life, trained, finished, script, storage):
    script("wait")
    run = trained()
    held = runs.claim("finish", "finisher")
    assert life.cancel(run.id).status == RunStatus.FINISHING
    assert finished(held).status == RunStatus.CANCELLED
    assert results_of(storage, run) == [None, None, None]
    assert not storage.run(run.id).checkpoints.exists()


def test_it_cannot_be_deleted_nor_can_its_data_set(runs, life, trained, client, storage):
    run = trained()
    with pytest.raises(Conflict):
        life.remove(run.id)
    with pytest.raises(Conflict):
        DatasetRegistry(client, storage).remove(run.dataset_id)


def test_revoked_it_fails_and_is_finished_when_it_is_retried(runs, life, trained, finished, script, storage):
    """As by a button of Flower, once its child is at work."""
    script("wait")
    waiting = trained()
    written = storage.run(waiting.id).path / ".attempts" / "2" / "export" / "model.onnx"
    run = finished(is_revoked=written.exists)
    assert (run.status, run.error["code"], run.crashes) == (RunStatus.FAILED, "revoked", 0)
    assert (run.attempts[-1].reason, run.result, run.checkpoints["best"].epoch) == ("revoked", RESULT, 5)
    assert results_of(storage, run) == [None] * 3
    script("ok")
    assert life.retry(run.id).status == RunStatus.FINISHING
    assert finished().status == RunStatus.COMPLETED


def test_drained_it_waits_again_and_counts_no_crash(runs, trained, finished, script, storage):
    script("wait")
    run, draining = trained(), threading.Event()
    threading.Timer(0.5, draining.set).start()
    waiting = finished(draining=draining)
    assert (waiting.status, waiting.owner, waiting.crashes, waiting.interrupted) == (
        "finishing",
        None,
        0,
        True,
    )
    assert (waiting.attempts[-1].reason, results_of(storage, run)) == ("drained", [None] * 3)
    script("ok")
    assert (finished().status, results_of(storage, run)) == ("completed", ["3", "3", "3"])


@pytest.mark.parametrize(
    ("what", "reason"), [({"signal": "SIGKILL"}, "child_died"), ({"signal": "SIGSEGV"}, "segfault")]
)
def test_broken_too_often_it_fails_and_keeps_what_was_trained(
    trained, finished, script, storage, what, reason
):
    script(what)
    run = trained()
    again = finished()
    assert (again.status, again.crashes, again.attempts[-1].reason) == ("finishing", 1, reason)
    failed = finished()
    assert (failed.status, failed.error["code"], failed.result) == ("failed", reason, RESULT)
    assert "finishing process" in failed.error["message"]
    assert storage.run(run.id).best_checkpoint.read_text() == "weights"


def test_crashes_of_its_training_are_told_to_its_end(runs, finished, script):
    runs.submit(a_run(1, dataset_hash=CONTENT_HASH, epochs=5))
    runs.crash(runs.claim("train", "trainer"), {"code": "child_died"})
    trained_by(runs, runs.claim("train", "trainer"))
    ended = finished()
    assert (ended.status, ended.crashes, ended.fence) == ("completed", 1, 3)


def test_a_finisher_that_ended_itself_for_want_of_word_counts_as_no_crash(trained, finished, script):
    script("fenced")
    trained()
    waiting = finished()
    assert (waiting.status, waiting.crashes, waiting.attempts[-1].reason) == ("finishing", 0, "fenced")


@pytest.mark.parametrize("way", ["resume", "retry"])
def test_after_a_failure_only_finishing_is_done_again(runs, life, trained, finished, script, storage, way):
    script({"error": True, "code": "export_mismatch"})
    run = trained()
    failed = finished()
    assert (failed.status, failed.error["code"], failed.epoch) == ("failed", "export_mismatch", 5)
    ask = (lambda: life.resume(run.id, None)) if way == "resume" else (lambda: life.retry(run.id))
    again = ask()
    assert (again.status, again.epoch, again.result, again.error) == ("finishing", 5, RESULT, None)
    assert ask().revision == again.revision, "asked for again, it changes nothing"
    assert runs.claim("train", "trainer") is None
    script("ok")
    assert finished().status == "completed"
    assert results_of(storage, run) == ["3", "3", "3"]


def test_resumed_with_more_epochs_it_trains_on(runs, life, trained, finished, script):
    script({"error": True, "code": "export_mismatch"})
    run = trained()
    finished()
    again = life.resume(run.id, 8)
    assert (again.status, again.epochs, again.result) == ("queued", 8, None)
    assert runs.claim("train", "trainer").checkpoints == run.checkpoints


def test_without_a_whole_checkpoint_it_trains_when_it_is_resumed(life, trained, finished, script):
    script({"error": True, "code": "checkpoints_lost"})
    run = trained()
    failed = finished()
    assert (failed.status, failed.error["code"], failed.result) == ("failed", "checkpoints_lost", None)
    assert life.resume(run.id, None).status == "queued"


def test_a_lost_finisher_is_replaced_and_writes_nothing_more(
    client, storage, trained, finished, script, runs
):
    quick = RunRegistry(client, storage, LeaseRules(lease_s=0.05, max_crashes=3))
    run = trained()
    lost = quick.claim("finish", "frozen")
    time.sleep(0.2)
    (reaped,) = quick.reap()
    assert (reaped.status, reaped.owner, reaped.crashes, reaped.interrupted) == ("finishing", None, 1, True)
    ended = finished(runs.claim("finish", "other"))
    assert (ended.status, ended.results_of) == ("completed", 3)
    assert finished(lost) == ended, "what it still writes is not the run's"
    for write in (
        lambda: runs.update(lost, results_of=lost.fence),
        lambda: runs.finish(lost, "completed", results_of=lost.fence),
        lambda: runs.renew(lost),
    ):
        with pytest.raises(OwnershipLost):
            write()
    assert results_of(storage, run) == ["3", "3", "3"]


def test_one_that_is_taken_over_in_the_last_moment_changes_nothing(
    runs, trained, finished, storage, monkeypatch
):
    """Its child has written everything, and it has asked once more whether the run is its own."""
    run = trained()
    stale = runs.claim("finish", "stale")
    flush = FinishingSupervisor._flush

    def taken_over(self: FinishingSupervisor) -> None:
        flush(self)
        monkeypatch.setattr(FinishingSupervisor, "_flush", flush)
        runs.release(runs.get(run.id))
        assert finished().results_of == 3

    monkeypatch.setattr(FinishingSupervisor, "_flush", taken_over)
    assert finished(stale).results_of == 3
    assert results_of(storage, run) == ["3", "3", "3"]


def test_the_training_attempt_that_handed_it_over_holds_it_no_more(runs, trained):
    run = trained()
    former = runs.get(run.id)
    stale = Run(**{**vars(former), "owner": "trainer", "status": RunStatus.RUNNING})
    for write in (lambda: runs.renew(stale), lambda: runs.hand_over(stale, 5, epoch=5, used_seconds=1.0)):
        with pytest.raises(OwnershipLost):
            write()
    assert runs.get(run.id) == former


def test_limits_of_a_project_do_not_count_it(client, storage, trained, runs):
    limited = RunRegistry(client, storage, LeaseRules(lease_s=10), max_concurrent=1)
    for number in (1, 2, 3):
        trained(number)
    runs.submit(a_run(4))
    assert [limited.claim("finish", "f").id for _ in range(3)] == [a_run(n).id for n in (1, 2, 3)]
    assert limited.claim("train", "trainer").id == a_run(4).id


def test_the_project_with_the_fewest_goes_first_and_places_say_so(client, runs, trained):
    for number, project in ((1, "a"), (2, "a"), (3, "b")):
        trained(number, project=project)
    queues = QueueStore(client, runs.rules, 0)
    assert [queues.queue_position(a_run(n).id).position for n in (1, 2, 3)] == [1, 3, 2]
    assert [runs.claim("finish", "f").id for _ in range(3)] == [a_run(n).id for n in (1, 3, 2)]
    assert [(one.project, one.waiting) for one in queues.waiting_to_finish("finish").shares] == []


def test_a_queue_that_redis_lost_is_made_again(client, runs, trained):
    held, waiting = trained(1), trained(2)
    assert runs.claim("finish", "finisher").id == held.id
    client.delete(keys.queue("finish"), f"{keys.queue('finish')}:of:a", f"{keys.queue('finish')}:projects")
    assert runs.requeue_lost() == [waiting.id]
    assert runs.claim("finish", "other").id == waiting.id
    assert runs.claim("finish", "other") is None


def test_one_whose_lease_was_let_go_of_is_taken_back(client, runs, trained):
    """As an older release does, which does not know the status."""
    run = trained()
    lost = runs.claim("finish", "gone")
    client.zrem(keys.leases("run"), run.id)
    assert runs.requeue_lost() == [run.id]
    found = runs.get(run.id)
    assert (found.owner, found.interrupted, found.attempts[-1].reason) == (None, True, "worker_lost")
    runs.renew(lost)  # it lived after all, and nobody else has it
    assert runs.claim("finish", "other") is None


@pytest.mark.parametrize("is_held", [True, False])
def test_an_emptied_redis_has_it_again(client, runs, storage, trained, is_held):
    run = trained()
    held = runs.claim("finish", "finisher") if is_held else None
    client.flushall()
    Reindex(client, storage, DatasetRegistry(client, storage, runs.rules), runs).rebuild()
    found = runs.get(run.id)
    assert (found.status, found.owner, found.result) == ("finishing", None, RESULT)
    if held:
        assert runs.claim("finish", "other") is None, "its holder has the time to speak first"
        runs.renew(held)
        assert runs.get(run.id).owner == "finisher"
    else:
        assert runs.claim("finish", "other").id == run.id


def test_a_finishing_without_end_is_ended(trained, finished, script, monkeypatch):
    monkeypatch.setattr(time_limit_module, "STOP_GRACE_S", 0.3)
    script("wait")
    trained(max_hours=1 / 3600)
    failed = finished()
    assert (failed.status, failed.error["code"], failed.used_seconds) == ("failed", "time_limit", 1.0)
    assert failed.result == RESULT


def test_a_limit_leaves_time_to_finish(trained, finished):
    trained(max_hours=0.5 / 3600)
    assert finished().status == "completed"


def test_results_of_an_earlier_end_give_way(runs, life, trained, finished, storage):
    run = trained()
    finished()
    old = storage.run(run.id).export / "model.int8.onnx"
    (RunFolder(storage.run(run.id).attempt(2).path).export / old.name).write_text("{}")
    runs.repair(run.id)
    assert old.exists()
    life.resume(run.id, 8)
    trained_by(runs, runs.claim("train", "trainer"), target=8)
    assert finished().results_of == 4
    assert (results_of(storage, run), old.exists()) == (["4", "4", "4"], False)
    assert read_json(storage.run(run.id).record)["results_of"] == 4


def test_files_that_were_not_asked_for_are_exported_on_request(trained, finished, life, storage):
    """The trained run is finished once more, with its spec as it is now; nothing is trained."""
    none = ExportSpec(onnx=False, half=False, int8=False, with_preprocessing=False)
    spec = replace(a_run(1).spec, export=none)
    run = trained(spec=spec)
    assert finished().status == "completed"
    wanted = replace(spec.export, onnx=True, half=True)
    asked = life.export(run.id, wanted)
    assert (asked.status, asked.reopened_by, asked.spec.export) == ("finishing", "export", wanted)
    assert life.export(run.id, wanted).revision == asked.revision, "asked for again, it is the same"
    with pytest.raises(Conflict):
        life.export(run.id, replace(wanted, int8=True))
    ended = finished()
    assert (ended.status, ended.epoch, ended.crashes) == ("completed", 5, 0)
    assert ended.result["export"]["wanted"] == {
        "onnx": True, "half": True, "int8": False, "with_preprocessing": False,
    }  # fmt: skip
    assert results_of(storage, run) == ["3", "3", "3"]
    assert read_json(storage.run(run.id).record)["spec"]["export"]["half"] is True
    assert life.export(run.id, wanted).revision == ended.revision, "it has them"


def test_a_run_whose_export_failed_is_completed_without_one(trained, finished, life, script):
    run = trained()
    script({"error": "", "code": "export_mismatch"})
    assert finished().status == "failed"
    life.export(run.id, replace(run.spec.export, onnx=False))
    script("ok")
    assert (finished().status, life.export(run.id, run.spec.export).status) == ("completed", "finishing")


def test_what_is_not_trained_is_not_exported(runs, life, client, storage, script):
    run = runs.submit(a_run(1, dataset_hash=CONTENT_HASH))[1]
    for act in (lambda: None, lambda: life.cancel(run.id)):
        act()
        with pytest.raises(Conflict):
            life.export(run.id, run.spec.export)


def test_without_its_data_set_nothing_can_be_compared(trained, finished, life, client, storage, runs):
    run = trained()
    ended = finished()
    DatasetRegistry(client, storage).remove(run.dataset_id)
    with pytest.raises(Conflict, match="data set"):
        life.export(run.id, replace(ended.spec.export, half=True))
