"""A whole service for the benchmarks: Redis, API, ingest and worker processes, as on a user's machine."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.turns import Turn, environment
from deploy.client import Client
from deploy.redis import free_port, server_command
from trainyard.settings import REPOSITORY

START_S = 120.0
POLL_S = 0.05
WATCH_S = 1.0
"""How often one looks who waits for a run to end: looking is work for the same cores that train."""
ENDED = ("completed", "failed", "stopped", "cancelled")


class Service:
    """The parts of one service, each started for as long as it is wanted.

    `storage` is its storage, `redis_url` its Redis, `http` its API, `client` the same by calls.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._redis_port, api_port = free_port(), free_port()
        self.redis_url = f"redis://127.0.0.1:{self._redis_port}/0"
        self.storage = folder / "storage"
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{api_port}", timeout=60)
        self.client = Client(self.http)
        self._environment = {
            **environment(threads),
            "TRAINYARD_PORT": str(api_port),
            "TRAINYARD_STORAGE": str(self.storage),
            "TRAINYARD_THREADS": str(threads),
            "TRAINYARD_REDIS_URL": self.redis_url,
        }

    @contextmanager
    def redis(self) -> Iterator[None]:
        """The server that a stack on one machine has, with every write on disk before it is answered."""
        folder = self._folder / "redis"
        folder.mkdir()
        with self._running("redis", server_command(self._redis_port, folder)):
            yield

    @contextmanager
    def running(self, *names: str) -> Iterator[None]:
        """Processes of the Procfile; with `web` among them the API answers when this goes on."""
        command = [sys.executable, "-m", "deploy.stack", *names]
        with self._running("-".join(names), command) as process:
            if "web" in names:
                self.client.wait_until_ready(START_S, lambda: process.poll() is None)
            yield

    @contextmanager
    def _running(self, name: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        with (self._folder / f"{name}.log").open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                process.terminate()
                process.wait()


@contextmanager
def service(folder: Path, threads: int) -> Iterator[Service]:
    """All of it, with its storage in that folder."""
    whole = Service(folder, threads)
    with whole.http, whole.redis(), whole.running("web", "worker", "ingest"):
        yield whole


def wait_for_step(client: Client, run_id: str) -> dict[str, Any]:
    """The run once its first optimizer step is told of."""
    while True:
        run = client.run(run_id)
        if run["status"] in ENDED:
            raise SystemExit(f"The run ended {run['status']}: {run['error']}")
        if run["progress"] and run["progress"]["step"] > 0:
            return run
        time.sleep(POLL_S)


def wait_for_end(client: Client, run_id: str) -> dict[str, Any]:
    """The run once it has ended, however it did."""
    run = client.run(run_id)
    while run["status"] not in ENDED:
        time.sleep(WATCH_S)
        run = client.run(run_id)
    return run


class ServedRuns:
    """A side whose turn is a run through the service, from submission to end; its last epoch counts."""

    def __init__(self, served: Service, dataset_id: str, spec: dict[str, Any]) -> None:
        self._served = served
        self._run = {"dataset_id": dataset_id, "spec": spec, "name": "bench"}

    def turn(self) -> Turn:
        run = wait_for_end(self._served.client, self._served.client.submit(self._run)["id"])
        if run["status"] != "completed":
            raise SystemExit(f"The run ended {run['status']}: {run['error']}")
        rows = self._served.http.get(f"/api/v1/runs/{run['id']}/metrics").json()["items"]
        return {"images_per_second": rows[-1]["images_per_second"]}
