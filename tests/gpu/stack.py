"""A whole service of a check's own, and training workers that can be killed, frozen and drained."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.machines.service import Service
from tests.chaos.worker import Worker
from tests.gpu.check import Setting
from tests.waits import Limit
from trainyard.storage.files import RunFolder, Storage

POLL_S = 0.2
READY_S = 120.0
"""For ingest of a drawn set."""
ENDED = ("completed", "failed", "stopped", "cancelled")
LEASE_S = 6
"""A lost worker's run is given to another after so long."""


class Stack:
    """Redis (a process), API and ingest; `http` talks to the API. Workers come and go."""

    def __init__(self, setting: Setting, service: Service, redis_pid: int, leaving: ExitStack) -> None:
        self._setting = setting
        self._service = service
        self._leaving = leaving
        self.redis = psutil.Process(redis_pid)
        self.http = leaving.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{service.port}/api/v1", timeout=60)
        )
        self.redis_url = service.redis_url

    def worker(self, **environment: str) -> Worker:
        """Start a training worker for the check's device; it is ended with the stack."""
        name = f"worker-{len(list(self._setting.folder.glob('worker-*.log')))}"
        settings = {**self._service.environment, **environment}
        worker = Worker(name, settings, self._setting.folder / f"{name}.log")
        self._leaving.callback(worker.kill_all)
        return worker

    def upload(self, archive: Path) -> dict[str, Any]:
        """The data set of a zip, once it is ready."""
        with archive.open("rb") as content:
            answer = self.http.post("/datasets", data={"name": "drawn"}, files={"file": content})
        dataset: dict[str, Any] = answer.raise_for_status().json()
        limit = Limit(READY_S)
        while dataset["status"] != "ready":
            if dataset["status"] in ("failed", "question") or limit.has_passed:
                raise RuntimeError(f"The data set is {dataset['status']}: {dataset['error']}")
            time.sleep(POLL_S)
            dataset = self._get(f"/datasets/{dataset['id']}")
        return dataset

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.get(path).raise_for_status().json()
        return answer

    def folder(self, run_id: str) -> RunFolder:
        """Where a run's files lie."""
        return Storage(self._service.storage).run(run_id)

    def submit(self, dataset: dict[str, Any], **spec: Any) -> str:
        """Submit a run with that spec over the defaults; returns its id."""
        body = {"dataset_id": dataset["id"], "spec": {"seed": self._setting.seed, **spec}, "name": "gpu"}
        return str(self.http.post("/runs", json=body).raise_for_status().json()["id"])

    def wait(self, run_id: str, until: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """The run once it is as wished; raises TimeoutError, and RuntimeError for one that ends otherwise."""
        limit = Limit(seconds)
        while True:
            run = self._get(f"/runs/{run_id}")
            if until(run):
                return run
            if run["status"] in ENDED:
                raise RuntimeError(f"The run ended {run['status']}: {run['error']}")
            if limit.has_passed:
                raise TimeoutError(f"still {run['status']} after {seconds:.0f} s: {run['progress']}")
            time.sleep(POLL_S)

    def completed(self, run_id: str, seconds: float) -> dict[str, Any]:
        """The run once it has completed, whatever comes between its last epoch and that."""
        return self.wait(run_id, lambda run: run["status"] == "completed", seconds)

    def stepped(self, run_id: str, steps: int, seconds: float) -> dict[str, Any]:
        """The run once it trains and has so many optimizer steps done."""
        return self.wait(run_id, lambda run: _steps(run) >= steps, seconds)

    def ends_in(self, run_id: str, epochs: int) -> None:
        """Let a run that trains go on for so many epochs and no more."""
        target = self._get(f"/runs/{run_id}")["progress"]["epoch"] + epochs
        self.http.patch(f"/runs/{run_id}", json={"epochs": target}).raise_for_status()

    def rows(self, run_id: str) -> list[dict[str, Any]]:
        """The metrics of its epochs."""
        rows: list[dict[str, Any]] = self._get(f"/runs/{run_id}/metrics")["items"]
        return rows


def lost_attempts(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Its attempts that did not do what they were to: they were killed, fenced, or failed."""
    return [attempt for attempt in run["attempts"] if attempt["reason"] not in ("trained", "completed")]


def _steps(run: dict[str, Any]) -> int:
    return run["progress"]["step"] if run["status"] == "running" and run["progress"] else 0


@contextmanager
def running_stack(setting: Setting, lease_s: int = LEASE_S) -> Iterator[Stack]:
    """A service without a training worker yet; all of it is ended with the block."""
    own = {
        "TRAINYARD_DEVICE_CLASSES": setting.device_class,
        "TRAINYARD_LEASE_S": str(lease_s),
        "TRAINYARD_MAX_CRASHES": "9",
    }
    os.environ.update(own)  # this process is the check's own, and the service's parts inherit it
    service = Service(setting.folder, setting.threads)
    with ExitStack() as leaving:
        leaving.enter_context(service.client)
        redis = leaving.enter_context(service.redis())
        leaving.enter_context(service.running("web", "ingest"))
        yield Stack(setting, service, redis.pid, leaving)
