"""Workers that vanish, freeze or come back late: the run goes on with another, and only there."""

import os
import signal
import subprocess
import sys
from math import ceil

import psutil
import pytest

from tests.e2e.conftest import MARK, SMALLEST, Stack, start_stack, stop_stack
from tests.waits import scaled, wait_for
from trainyard.settings import REPOSITORY

pytestmark = pytest.mark.timeout(240)
LEASE_S = 8
"""Of workers on an idle machine."""


@pytest.fixture
def yard(tmp_path, redis_url):
    """A stack without a training worker, and a way to start such workers, or others that train nothing."""
    lease = {"TRAINYARD_LEASE_S": str(ceil(scaled(LEASE_S)))}
    stack = start_stack(tmp_path / "storage", "redis", "web", "ingest", redis_url=redis_url, **lease)
    environment = {
        **os.environ, **lease, MARK: stack.mark,
        "TRAINYARD_REDIS_URL": redis_url, "TRAINYARD_STORAGE": str(stack.storage),
    }  # fmt: skip
    workers: list[subprocess.Popen[bytes]] = []

    def start_worker(role: str = "train") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "workers", role]
        with (tmp_path / f"worker-{len(workers)}.log").open("wb") as log:
            workers.append(subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log))
        return workers[-1]

    yield stack, start_worker
    for worker in workers:
        worker.kill()
        worker.wait()
    stop_stack(stack)


def begun(stack: Stack, archive, epochs: int, **spec) -> dict:
    """A run that has finished its first epoch."""
    dataset = stack.upload(archive, name="shapes", project="made")
    run = stack.submit(dataset["id"], epochs=epochs, export={"onnx": False}, **SMALLEST, **spec)
    return stack.wait_run(run["id"], lambda r: r["epoch"] >= 1)


def reasons(run: dict) -> list[str]:
    """How its attempts ended."""
    return [attempt["reason"] for attempt in run["attempts"]]


def rows(stack: Stack, run_id: str) -> list[int]:
    return [row["epoch"] for row in stack.http.get(f"/api/v1/runs/{run_id}/metrics").json()["items"]]


def test_the_run_of_a_killed_worker_goes_on_with_another(yard, synthetic_zip):
    stack, start_worker = yard
    first = start_worker()
    run = begun(stack, synthetic_zip, epochs=10)
    first.kill()
    first.wait()
    start_worker()
    ended = stack.wait_run(run["id"], lambda r: r["status"] == "completed")
    assert (reasons(ended), ended["crashes"]) == (["worker_lost", "trained", "completed"], 1)
    assert rows(stack, run["id"]) == list(range(1, 11))
    assert ended["step"] >= 10 * 8


@pytest.mark.thorough
def test_the_run_of_a_killed_child_goes_on_in_the_same_worker(yard, synthetic_zip):
    stack, start_worker = yard
    worker = start_worker()
    run = begun(stack, synthetic_zip, epochs=10)
    training_child(worker).kill()
    ended = stack.wait_run(run["id"], lambda r: r["status"] == "completed")
    assert (reasons(ended), ended["crashes"]) == (["child_died", "trained", "completed"], 1)
    assert rows(stack, run["id"]) == list(range(1, 11))


EXACT = {"precision": "32", "compute": {"deterministic": True}}


@pytest.mark.thorough
def test_a_drained_run_goes_on_as_if_nothing_had_happened(yard, synthetic_zip):
    stack, start_worker = yard
    worker = start_worker()
    run = begun(stack, synthetic_zip, epochs=6, **EXACT)
    terminate_group(worker)
    assert worker.wait(scaled(30)) == 0
    released = stack.run(run["id"])
    assert (released["status"], released["crashes"]) == ("queued", run["crashes"])
    start_worker()
    ended = stack.wait_run(run["id"], lambda r: r["status"] == "completed")
    assert ended["step"] == 6 * 8
    *_, first, second, finishing = ended["attempts"]
    assert (first["reason"], second["reason"], ended["crashes"]) == ("drained", "trained", run["crashes"])
    assert (finishing["finishing"], finishing["reason"]) == (True, "completed")
    assert first["epochs"] + second["epochs"] == 6
    undisturbed = stack.submit(run["dataset_id"], epochs=6, export={"onnx": False}, **SMALLEST, **EXACT)
    stack.wait_run(undisturbed["id"], lambda r: r["status"] == "completed")
    assert numbers(stack, run["id"]) == numbers(stack, undisturbed["id"])


def numbers(stack: Stack, run_id: str) -> list[dict]:
    """The metrics of each epoch, but for what a clock says."""
    times = ("images_per_second", "epoch_seconds", "device_utilization", "device_memory_gb")
    rows = stack.http.get(f"/api/v1/runs/{run_id}/metrics").json()["items"]
    return [{name: value for name, value in row.items() if name not in times} for row in rows]


def terminate_group(worker: subprocess.Popen[bytes]) -> None:
    """What a process manager does: the worker and what it started in its group are told to end."""
    told = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
    for process in told:
        if os.getpgid(process.pid) == os.getpgid(worker.pid):
            process.terminate()


@pytest.mark.thorough
def test_a_frozen_worker_that_wakes_late_does_no_harm(yard, synthetic_zip):
    stack, start_worker = yard
    frozen = start_worker()
    run = begun(stack, synthetic_zip, epochs=10)
    child = training_child(frozen)
    frozen.send_signal(signal.SIGSTOP)
    child.suspend()
    start_worker()
    stack.wait_run(run["id"], lambda r: r["fence"] == 2 and r["epoch"] > run["epoch"])
    frozen.send_signal(signal.SIGCONT)
    child.resume()
    wait_for(lambda: child.is_running() and child.status() != psutil.STATUS_ZOMBIE, lambda lives: not lives)
    ended = stack.wait_run(run["id"], lambda r: r["status"] == "completed")
    # On a starved machine the second worker may have to give the run back, which is no crash.
    told = reasons(ended)
    assert (told[0], told[-1], ended["crashes"]) == ("worker_lost", "completed", 1)
    assert rows(stack, run["id"]) == list(range(1, 11))


def training_child(worker: subprocess.Popen[bytes]) -> psutil.Process:
    """The process that trains for a worker: a child of its forkserver, in a group of its own."""
    found = psutil.Process(worker.pid).children(recursive=True)
    (child,) = [one for one in found if os.getpgid(one.pid) == one.pid]
    return child


ALL_FILES = {"onnx": True, "half": True, "int8": True}


@pytest.mark.thorough
def test_results_are_written_by_another_attempt_and_nothing_is_trained_again(yard, synthetic_zip):
    """One that finishes is killed, one drained, one killed with its worker, and the last left alone."""
    stack, start_worker = yard
    trainer = start_worker()
    dataset = stack.upload(synthetic_zip, name="shapes", project="made")
    run = stack.submit(dataset["id"], epochs=2, export=ALL_FILES, **SMALLEST)
    stack.wait_run(run["id"], is_being_finished)
    finishing_child(trainer).kill()
    stack.wait_run(run["id"], lambda r: r["crashes"] == 1 and is_being_finished(r))
    trainer.terminate()
    assert trainer.wait(scaled(30)) == 0
    waiting = stack.run(run["id"])
    assert (waiting["status"], waiting["owner"], waiting["crashes"]) == ("finishing", None, 1)
    assert waiting["waiting"]["reason"]["code"] == "no_worker"

    finisher = start_worker("finish")
    stack.wait_run(run["id"], is_being_finished)
    finisher.kill()
    start_worker("finish")
    ended = stack.wait_run(run["id"], lambda r: r["status"] == "completed")
    assert reasons(ended) == ["trained", "child_died", "drained", "worker_lost", "completed"]
    assert (ended["crashes"], ended["step"], rows(stack, run["id"])) == (2, 2 * 8, [1, 2])
    assert ended["result"]["export"]["max_difference"] < 1e-3
    files = stack.http.get(f"/api/v1/runs/{run['id']}/artifacts").json()["items"]
    names = {"report.html", "report.json", "figures/overlay.png", "export/model.onnx", "export/card.json"}
    assert names <= {file["path"] for file in files}
    report = stack.http.get(f"/api/v1/runs/{run['id']}/artifacts/report.json").json()
    assert report["times"]["epochs"] == 2, "the rows of metrics are there for who did not train"


def is_being_finished(run: dict) -> bool:
    return run["status"] == "finishing" and run["owner"] is not None


def finishing_child(worker: subprocess.Popen[bytes]) -> psutil.Process:
    """The process that finishes for a worker, once it works: it lets those that train go first."""

    main = psutil.Process(worker.pid)

    def found() -> list[psutil.Process]:
        return [one for one in main.children(recursive=True) if one.nice() > main.nice()]

    return wait_for(found, bool)[0]
