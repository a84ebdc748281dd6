"""A whole worker, whose training process follows a script: signals that it gets, and a Redis that refuses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from math import ceil
from pathlib import Path

import psutil
import pytest

from tests.refusals import REFUSALS, refuse_writes, take_writes
from tests.unit.outages import Server
from tests.unit.records import a_run
from tests.unit.scripted_child import STUBBORN
from tests.waits import scaled, wait_for
from trainyard.datasets.record import Dataset
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.settings import REPOSITORY
from trainyard.storage.files import Storage
from trainyard.store.connection import connect
from trainyard.store.processes.workers import WorkerStore
from workers.process.second_signal import SAME_S

CONTENT_HASH = "c0de" * 16


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "storage")


RUN = a_run(1, dataset_hash=CONTENT_HASH, queue="cpu")
"""It ends when it is told to stop, and not when the worker drains."""


@pytest.fixture
def runs(server: Server, storage: Storage) -> RunRegistry:
    """With the data set of the run."""
    sets = DatasetRegistry(connect(server.url), storage)
    sets.submit(Dataset(id=RUN.dataset_id, name="d", project="p", created_at=0))
    prepared = storage.dataset(RUN.dataset_id).version(CONTENT_HASH)
    prepared.mkdir(parents=True)
    (prepared / "script").write_text(STUBBORN)
    return RunRegistry(connect(server.url), storage, LeaseRules(lease_s=ceil(scaled(3))))


@pytest.fixture
def worker(server: Server, storage: Storage, runs: RunRegistry) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ, "TRAINYARD_REDIS_URL": server.url, "TRAINYARD_STORAGE": str(storage.root),
        "TRAINYARD_LEASE_S": str(runs.rules.lease_s),
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.unit.scripted_worker"]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment) as process:
        yield process
        process.kill()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("is_redis_away", [False, True])
def test_a_second_signal_ends_it_at_once(worker, runs: RunRegistry, server: Server, is_redis_away: bool):
    runs.submit(RUN)
    wait_for(lambda: runs.get(RUN.id).epoch == 1)
    descendants = psutil.Process(worker.pid).children(recursive=True)
    if is_redis_away:
        server.kill()
    for _ in range(3):  # as one that is sent to a process and to its group
        worker.send_signal(signal.SIGTERM)
    time.sleep(SAME_S + 0.5)
    assert worker.poll() is None, "it drains"
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(scaled(60)) == -signal.SIGTERM
    assert psutil.wait_procs(descendants, scaled(60))[1] == []
    if is_redis_away:
        server.start()
    wait_for(lambda: bool(runs.reap()) or runs.get(RUN.id).status == "queued")
    run = runs.get(RUN.id)
    assert (run.status, run.crashes, run.epoch) == ("queued", 1, 1)
    assert run.attempts[-1].reason == "worker_lost"


@pytest.mark.variants(1)
@pytest.mark.timeout(180)
@pytest.mark.parametrize("why", REFUSALS)
def test_a_redis_that_refuses_writes_ends_no_worker(worker, runs: RunRegistry, server: Server, why: str):
    workers = WorkerStore(connect(server.url))
    wait_for(workers.all)
    refuse_for_a_while(server, why, runs.rules.lease_s / 3)
    runs.submit(RUN)
    wait_for(lambda: runs.get(RUN.id).epoch == 1)
    refuse_for_a_while(server, why, runs.rules.lease_s / 3)
    runs.stop(RUN.id, "now")
    run = wait_for(lambda: runs.get(RUN.id), lambda run: run.status == "finishing")
    assert (run.fence, run.crashes) == (1, 0)
    assert worker.poll() is None


def refuse_for_a_while(server: Server, why: str, seconds: float) -> None:
    refuse_writes(server.url, why)
    time.sleep(seconds)
    take_writes(server.url)
