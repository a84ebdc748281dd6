"""A whole service for the benchmarks: Redis, API, ingest and worker processes, as on a user's machine."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.measures.turns import Turn, environment
from deploy.redis import free_port, server_command
from trainyard.settings import REPOSITORY
from trainyard_client import Client
from trainyard_client.records import Run
from trainyard_client.resources.runs import ENDED

START_S = 120.0
POLL_S = 0.05


class Service:
    """The parts of one service, each started for as long as it is wanted.

    `storage` is its storage, `redis_url` its Redis, `port` that of its API, `client` speaks to it.
    `environment` is that of its processes.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._redis_port, self.port = free_port(), free_port()
        self.redis_url = f"redis://127.0.0.1:{self._redis_port}/0"
        self.storage = folder / "storage"
        self.client = Client(f"http://127.0.0.1:{self.port}")
        self.environment = {
            **environment(threads),
            "TRAINYARD_PORT": str(self.port),
            "TRAINYARD_STORAGE": str(self.storage),
            "TRAINYARD_THREADS": str(threads),
            "TRAINYARD_REDIS_URL": self.redis_url,
        }

    @contextmanager
    def redis(self) -> Iterator[subprocess.Popen[bytes]]:
        """The server that a stack on one machine has, with every write on disk before it is answered."""
        folder = self._folder / "redis"
        folder.mkdir()
        with self._running("redis", server_command(self._redis_port, folder)) as server:
            yield server

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
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                process.terminate()
                process.wait()


def uploaded(client: Client, archive: Path) -> str:
    """The id of the data set that was made of it, once it is ready."""
    dataset = client.datasets.wait(client.datasets.upload(archive, archive.stem).id)
    if dataset.status != "ready":
        raise SystemExit(f"The data set is {dataset.status}: {dataset.problems}")
    return dataset.id


@contextmanager
def service(folder: Path, threads: int) -> Iterator[Service]:
    """All of it, with its storage in that folder."""
    whole = Service(folder, threads)
    with whole.client, whole.redis(), whole.running("web", "worker", "ingest"):
        yield whole


def wait_for_step(client: Client, run_id: str) -> Run:
    """The run once its first optimizer step is reported."""
    while True:
        run = client.runs.get(run_id)
        if run.status in ENDED:
            raise SystemExit(f"The run ended {run.status}: {run.error}")
        if run.progress and run.progress.step > 0:
            return run
        time.sleep(POLL_S)


class ServedRuns:
    """A side whose turn is a run through the service, from submission to end; its last epoch counts."""

    def __init__(self, served: Service, dataset_id: str, spec: dict[str, Any]) -> None:
        self._runs = served.client.runs
        self._dataset_id = dataset_id
        self._spec = spec

    def turn(self) -> Turn:
        run = self._runs.wait(self._runs.submit(self._dataset_id, spec=self._spec, name="bench").id)
        if run.status != "completed":
            raise SystemExit(f"The run ended {run.status}: {run.error}")
        return {"images_per_second": self._runs.metrics(run.id)[-1]["images_per_second"]}
