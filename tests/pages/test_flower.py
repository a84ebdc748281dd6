"""Attempts as an operator sees and ends them in Flower, beside real workers with scripted children."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from math import ceil
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis
from playwright.sync_api import Browser, expect

from deploy.redis import free_port
from tests.api.server import environment
from tests.unit.records import a_run
from tests.waits import scaled, wait_for
from trainyard.datasets.record import Dataset
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run
from trainyard.settings import REPOSITORY
from trainyard.storage.files import Storage
from trainyard.storage.ids import new_dataset_id, new_run_id
from trainyard.store.connection import connect

LOGIN = ("operator", "flower")
HASH = "c0de" * 16


class Console:
    """A Redis with workers and a Flower that watches them."""

    def __init__(self, url: str, folder: Path, processes: ExitStack) -> None:
        self.storage = Storage(folder / "storage")
        rules = LeaseRules(lease_s=ceil(scaled(3)))
        self.runs = RunRegistry(connect(url), self.storage, rules)
        self.datasets = DatasetRegistry(connect(url), self.storage, rules)
        self._processes = processes
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._environment = environment(
            TRAINYARD_REDIS_URL=url,
            TRAINYARD_STORAGE=str(self.storage.root),
            TRAINYARD_LEASE_S=str(rules.lease_s),
            TRAINYARD_FLOWER_PORT=str(port),
            FLOWER_BASIC_AUTH=":".join(LOGIN),
        )
        self.http = processes.enter_context(httpx.Client(base_url=self.url, auth=LOGIN, timeout=scaled(30)))
        self.start("deploy.flower")
        self.worker = self.start("tests.unit.scripted_worker")
        wait_for(self.workers, lambda found: "train" in found)

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """One more process of this deployment, which ends with it."""
        command = [sys.executable, "-m", module, *arguments]
        process = self._processes.enter_context(
            subprocess.Popen(command, cwd=REPOSITORY, env=self._environment)
        )
        self._processes.callback(process.kill)
        return process

    def workers(self) -> str:
        """The names of the workers that Flower shows, in one string."""
        try:
            found = self.http.get("/workers", params={"json": "1"}).json()["data"]
            return " ".join(worker["hostname"] for worker in found if worker["status"])
        except httpx.TransportError:
            return ""

    def submit(self, script: str, name: str = "night run") -> Run:
        """A run whose child follows that script."""
        dataset_id = new_dataset_id()
        self.datasets.submit(Dataset(id=dataset_id, name="d", project="lab", created_at=0))
        prepared = self.storage.dataset(dataset_id).version(HASH)
        prepared.mkdir(parents=True)
        (prepared / "script").write_text(script)
        values = {"project": "lab", "name": name, "dataset_id": dataset_id, "dataset_hash": HASH}
        run = a_run(0, id=new_run_id(), queue="cpu", **values)
        return self.runs.submit(run)[1]

    def task(self, task_id: str, *states: str) -> dict[str, Any]:
        """The task of that id as Flower's API tells it, once it is in one of the states."""
        return wait_for(
            lambda: self.http.get("/api/tasks", params={"limit": 1000}).json().get(task_id, {}),
            lambda task: task.get("state") in states,
        )


@pytest.fixture(scope="module")
def console(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    with ExitStack() as processes:
        yield Console(redis_server, tmp_path_factory.mktemp("console"), processes)


def test_a_run_is_a_task_that_can_be_terminated_on_its_page(console: Console, browser: Browser):
    run = console.submit("until stopped", name="<b>night</b> run")
    task = console.task(f"{run.id}.1", "STARTED")
    assert task["name"] == "trainyard.train_run"
    assert task["worker"].startswith("train-")
    assert task["kwargs"] == repr({"run": run.id, "project": "lab", "name": run.name, "attempt": 1})
    context = browser.new_context(
        base_url=console.url, http_credentials={"username": LOGIN[0], "password": LOGIN[1]}
    )
    page = context.new_page()
    page.goto("/tasks")
    row = page.get_by_role("row").filter(has_text=f"{run.id}.1")
    expect(row).to_contain_text("trainyard.train_run")
    expect(row).to_contain_text("<b>night</b> run")
    page.goto(f"/task/{run.id}.1")
    page.get_by_role("button", name="Terminate").click()
    task = console.task(f"{run.id}.1", "REVOKED")
    page.goto(f"/task/{run.id}.1")
    expect(page.locator("#task-page")).to_contain_text("REVOKED")
    context.close()
    stopped = console.runs.get(run.id)
    assert (stopped.status, stopped.epoch, task["result"]) == ("stopped", 5, "stopped")
    assert [f"was revoked as task {run.id}.1" in notice for notice in stopped.notices] == [True]
    events = console.storage.run(run.id).events.read_text()
    assert stopped.notices[0] in events


def test_outcomes_are_those_of_tasks_and_wake_ups_are_none(console: Console):
    failing, whole, killed = (console.submit(script) for script in ("refused", "ok", "killed"))
    assert console.task(f"{failing.id}.1", "FAILURE")["exception"] == "nan_loss: NaN"
    assert console.task(f"{whole.id}.1", "SUCCESS")["result"] == "trained, epoch 5 of 20"
    last = console.task(f"{killed.id}.3", "FAILURE")
    assert (last["retries"], last["root_id"], last["parent_id"]) == (2, f"{killed.id}.1", f"{killed.id}.2")
    assert "exit code -9" in last["exception"]
    for attempt in (1, 2):
        assert console.task(f"{killed.id}.{attempt}", "RETRY")["exception"] == "child_died"
    assert console.http.get("/api/task/types").json()["task-types"] == ["trainyard.train_run"]


def test_a_lost_worker_shows_as_a_retry(console: Console):
    run = console.submit("until stopped")
    held_by = console.task(f"{run.id}.1", "STARTED")["worker"]
    children = psutil.Process(console.worker.pid).children(recursive=True)
    console.worker.kill()
    console.worker = console.start("tests.unit.scripted_worker")
    lost = console.task(f"{run.id}.1", "RETRY")
    assert (lost["exception"], lost["worker"]) == ("worker_lost", held_by)
    taken_over_by = console.task(f"{run.id}.2", "STARTED")["worker"]
    assert taken_over_by == f"train-{console.worker.pid}@{held_by.split('@')[1]}"
    assert console.start("deploy.celery", "control", "revoke", f"{run.id}.2").wait(scaled(60)) == 0
    console.task(f"{run.id}.2", "REVOKED")
    assert console.runs.get(run.id).status == "stopped"
    assert psutil.wait_procs(children, scaled(60))[1] == []


def test_an_ingest_is_a_task(console: Console):
    console.start("tests.unit.scripted_worker", "ingest")
    dataset = Dataset(id=new_dataset_id(), name="cells", project="lab", created_at=0)
    folder = console.storage.dataset(dataset.id)
    folder.path.mkdir(parents=True)
    (folder.path / "script").write_text("0")
    console.datasets.submit(dataset)
    task = console.task(f"{dataset.id}.1", "FAILURE")
    assert task["name"] == "trainyard.ingest_dataset"
    assert task["kwargs"] == repr({"dataset": dataset.id, "project": "lab", "name": "cells", "attempt": 1})
    assert task["exception"].endswith("It came to its end.")
    assert task["worker"].startswith("ingest-")


def test_an_ingest_is_revoked(console: Console):
    """By an ingest worker of the test before, or a new one."""
    console.start("tests.unit.scripted_worker", "ingest")
    dataset = Dataset(id=new_dataset_id(), name="cells", project="lab", created_at=0)
    folder = console.storage.dataset(dataset.id)
    folder.path.mkdir(parents=True)
    (folder.path / "script").write_text("60")
    console.datasets.submit(dataset)
    console.task(f"{dataset.id}.1", "STARTED")
    assert console.start("deploy.celery", "control", "revoke", f"{dataset.id}.1").wait(scaled(60)) == 0
    console.task(f"{dataset.id}.1", "REVOKED")
    assert (console.datasets.get(dataset.id).error or {})["code"] == "revoked"
