"""The real stack, started as its user starts it, and a client's view of it."""

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from deploy.redis import free_port
from deploy.synthetic import CLASSES, write_synthetic
from tests.e2e.small_configs import small_configs
from tests.waits import scaled, wait_for
from trainyard.settings import REPOSITORY

MARK = "TRAINYARD_TEST_MARK"
FLOWER_LOGIN = "test:flower"
TINY = {
    "model": {"architecture": "Unet", "encoder": "resnet18"},
    "data": {"image_size": 64, "batch_size": 4},
    "augmentation": {"preset": "none"},
}


SMALLEST = {
    "model": {"architecture": "Unet", "encoder": "tu-test_resnet"},
    "data": {"image_size": 32, "batch_size": 4},
}
"""For runs of which it matters where they are trained, and not how quickly an epoch is over."""


@dataclass
class Stack:
    """A running stack: its processes, its storage and an HTTP client of its API."""

    process: subprocess.Popen[bytes]
    storage: Path
    http: httpx.Client
    flower: str
    mark: str
    environment: dict[str, str]

    def interrupt(self, seconds: float = 60) -> None:
        """What Ctrl-C does; returns when the stack has ended."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(scaled(seconds))

    @property
    def log(self) -> str:
        """What the stack and its processes have said so far."""
        return log_of(self.storage).read_text()

    def survivors(self) -> list[str]:
        """Command lines of processes that this stack started and that still live."""
        found = []
        for process in _marked(self.mark):
            with suppress(psutil.NoSuchProcess):  # it has ended since, and is perhaps a zombie
                found.append(" ".join(process.cmdline()))
        return found

    def pid(self, name: str) -> int:
        """The newest process of that name in the Procfile."""
        return int(re.findall(rf"spawned: '{name}' with pid (\d+)", self.log)[-1])

    def upload(self, archive: Path, **fields: str) -> dict[str, Any]:
        """Upload a data set and wait for the end of its ingest."""
        with archive.open("rb") as file:
            answer = self.http.post("/api/v1/datasets", data=fields, files={"file": ("set.zip", file)})
        assert answer.status_code == 202, answer.text
        url = f"/api/v1/datasets/{answer.json()['id']}"
        return wait_for(
            lambda: self.http.get(url).json(), lambda d: d["status"] not in ("queued", "ingesting")
        )

    def submit(self, dataset_id: str, **spec: Any) -> dict[str, Any]:
        """Submit a tiny run."""
        answer = self.http.post("/api/v1/runs", json={"dataset_id": dataset_id, "spec": {**TINY, **spec}})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def run(self, run_id: str) -> dict[str, Any]:
        return self.http.get(f"/api/v1/runs/{run_id}").json()

    def wait_run(self, run_id: str, until: Callable[[dict[str, Any]], bool], seconds: float = 150) -> Any:
        """The run once it is as wished; a run that has failed ends the wait with its error."""
        run = wait_for(lambda: self.run(run_id), lambda r: until(r) or r["status"] == "failed", seconds)
        assert until(run), run["error"]
        return run


def start_stack(storage: Path, *processes: str, redis_url: str | None = None, **settings: str) -> Stack:
    """Start `python -m deploy.stack` on free ports and wait until its API is ready."""
    port, flower_port, redis_port, mark = free_port(), free_port(), free_port(), uuid.uuid4().hex
    environment = {
        **os.environ,
        "TRAINYARD_PORT": str(port),
        "TRAINYARD_STORAGE": str(storage),
        "TRAINYARD_FLOWER_PORT": str(flower_port),
        "TRAINYARD_REDIS_PORT": str(redis_port),
        "FLOWER_BASIC_AUTH": FLOWER_LOGIN,
        MARK: mark,
    }
    environment |= settings
    environment.pop("TRAINYARD_REDIS_URL", None)
    if redis_url:
        environment["TRAINYARD_REDIS_URL"] = redis_url
    log = log_of(storage).open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.stack", *processes],
        cwd=REPOSITORY,
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    log.close()
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=scaled(60))
    flower = f"http://{FLOWER_LOGIN}@127.0.0.1:{flower_port}"
    stack = Stack(process, storage, http, flower, mark, environment)
    try:
        wait_for(lambda: _ready(http), bool, 60)
    except AssertionError:
        stop_stack(stack)
        raise
    return stack


def log_of(storage: Path) -> Path:
    """The log of the stack of that storage."""
    return storage.with_name(f"{storage.name}.log")


def stop_stack(stack: Stack) -> None:
    """End the stack whatever state it is in."""
    stack.http.close()
    if stack.process.poll() is None:
        stack.interrupt()
    for process in _marked(stack.mark):
        process.kill()


def _ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole Procfile, for the tests of one module."""
    running = start_stack(tmp_path_factory.mktemp("stack") / "storage")
    yield running
    stop_stack(running)


@pytest.fixture
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """What `make up` starts, for a walk of the README."""
    folder = tmp_path_factory.mktemp("walked")
    configs = small_configs(folder / "configs")
    running = start_stack(folder / "storage", TRAINYARD_CONFIGS=str(configs))
    yield running
    stop_stack(running)


@pytest.fixture(scope="module")
def synthetic_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small made data set as an upload."""
    path = tmp_path_factory.mktemp("upload") / "synthetic.zip"
    write_synthetic(path, images=40)
    return path


@pytest.fixture(scope="module")
def dataset(stack: Stack, synthetic_zip: Path) -> dict[str, Any]:
    """The small made data set, ingested."""
    names = "{" + ",".join(f'"{value}": "{name}"' for value, name in CLASSES.items()) + "}"
    found = stack.upload(synthetic_zip, name="shapes", project="made", classes=names)
    assert found["status"] == "ready", found
    return found
