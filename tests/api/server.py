"""A server process of a test's own, and a hand that plays the workers."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import psutil

from deploy.redis import free_port
from tests.api.summary import SUMMARY, write_played
from tests.waits import scaled, wait_for
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.settings import REPOSITORY
from trainyard.storage.files import Storage
from trainyard.store.connection import connect

MAX_UPLOAD_MB = 64


class Server:
    """`python -m app` on a free port."""

    def __init__(self, redis_url: str, folder: Path, **settings: str) -> None:
        """`settings` are more variables of the environment."""
        self._settings = settings
        self._port = free_port()
        self._redis_url = redis_url
        self.log = folder / "server.log"
        self.storage = Storage(folder / "storage")
        self.client = connect(redis_url)
        self.runs = RunRegistry(self.client, self.storage)
        self.datasets = DatasetRegistry(self.client, self.storage)
        fresh = httpx.Limits(max_keepalive_connections=0)  # none outlives a server that is killed
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=scaled(60), limits=fresh)

    def start(self) -> None:
        """Returns when it answers that it can work."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app"],
                cwd=REPOSITORY,
                env=environment(
                    TRAINYARD_PORT=str(self._port),
                    TRAINYARD_STORAGE=str(self.storage.root),
                    TRAINYARD_REDIS_URL=self._redis_url,
                    TRAINYARD_MAX_UPLOAD_MB=str(MAX_UPLOAD_MB),
                    **self._settings,
                ),
                stdout=log,
                stderr=log,
            )
        self._await_ready()

    def kill(self) -> None:
        """End the server and its worker in the middle of whatever they do."""
        parent = psutil.Process(self.process.pid)
        for process in [parent, *parent.children(recursive=True)]:
            process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the server as an operator does."""
        self.process.terminate()
        self.process.wait(scaled(30))

    def close(self) -> None:
        self.http.close()
        self.stop()
        self.client.close()

    def ready_set(self) -> str:
        """End the ingest of the next data set; its id."""
        held = self.datasets.claim("ingest", "hand")
        assert held
        return write_played(self.storage, self.datasets.finish(held, "ready", summary=SUMMARY)).id

    def memory(self) -> int:
        """Resident bytes of the server and its worker."""
        parent = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in [parent, *parent.children(recursive=True)])

    def _await_ready(self) -> None:
        def answers() -> bool:
            try:
                assert self.http.get("/readyz").status_code == 200
            except httpx.TransportError:
                return False
            return True

        wait_for(answers)


def environment(**variables: str) -> dict[str, str]:
    """This process's, but for what it says of Trainyard."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRAINYARD_")}
    return {**kept, **variables}
