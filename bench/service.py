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
from deploy.redis import free_port
from trainyard.settings import REPOSITORY

START_S = 120.0
POLL_S = 0.2
ENDED = ("completed", "failed", "stopped", "cancelled")


@contextmanager
def service(folder: Path, threads: int) -> Iterator[tuple[httpx.Client, Client]]:
    """A stack with its storage in that folder; yields its API, plain and by calls, and ends it after."""
    port = free_port()
    own = {
        "TRAINYARD_PORT": str(port),
        "TRAINYARD_STORAGE": str(folder / "storage"),
        "TRAINYARD_THREADS": str(threads),
    }
    command = [sys.executable, "-m", "deploy.stack", "redis", "web", "worker", "ingest"]
    with (folder / "stack.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**environment(threads), **own},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
                client = Client(http)
                client.wait_until_ready(START_S, lambda: process.poll() is None)
                yield http, client
        finally:
            process.terminate()
            process.wait()


class ServedRuns:
    """A side whose turn is a run through the service, from submission to end; its last epoch counts."""

    def __init__(self, http: httpx.Client, client: Client, dataset_id: str, spec: dict[str, Any]) -> None:
        self._http = http
        self._client = client
        self._run = {"dataset_id": dataset_id, "spec": spec, "name": "bench"}

    def turn(self) -> Turn:
        run_id = self._client.submit(self._run)["id"]
        run = self._client.run(run_id)
        while run["status"] not in ENDED:
            time.sleep(POLL_S)
            run = self._client.run(run_id)
        if run["status"] != "completed":
            raise SystemExit(f"The run ended {run['status']}: {run['error']}")
        rows = self._http.get(f"/api/v1/runs/{run_id}/metrics").json()["items"]
        return {"images_per_second": rows[-1]["images_per_second"]}
