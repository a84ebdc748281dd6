"""A whole service in a folder of its own: Redis, API, training workers, storage, and the witness of steps."""

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from deploy.redis import free_port
from tests.chaos import step_log
from tests.chaos.client import Client
from tests.chaos.disk import SmallDisk
from tests.chaos.network import SecondHost
from tests.chaos.redis_server import RedisServer
from tests.chaos.sets import FORMATS, write_set
from tests.chaos.stored_runs import store_runs
from tests.chaos.worker import Worker
from tests.waits import scaled
from trainyard.settings import REPOSITORY
from trainyard.storage.files import Storage

MARK = "CHAOS_YARD"
PATIENCE_S = 300.0
"""What the first runs may take, also on a machine that is busy with other things."""
MAX_CRASHES = 1000
"""The cluster kills the same run far more often than bad luck would."""


@dataclass(frozen=True, kw_only=True)
class ClusterPlan:
    """`second_host`: one more worker, on a host of its own, whose cable can be cut; `stored`: how many runs
    lie in storage before it starts."""

    folder: Path
    workers: int
    lease_s: int
    step_s: float
    second_host: bool
    stored: int


class Cluster:
    """Starts with `with`, and leaves nothing behind but its folder."""

    def __init__(self, plan: ClusterPlan) -> None:
        self.plan = plan
        self.steps = plan.folder / "steps"
        self.storage = Storage(plan.folder / "storage")
        self.host: SecondHost | None = None
        self.remote: Worker | None = None
        self.workers: list[Worker] = []
        self.odd_exits: list[str] = []
        self.starved: list[str] = []
        """Runs whose disk was filled."""
        self._disks: list[SmallDisk] = []
        self._api: subprocess.Popen[bytes] | None = None
        self._mark = uuid.uuid4().hex
        self.port = free_port()
        self._leaving = ExitStack()

    def __enter__(self) -> "Cluster":
        try:
            self._start()
        except BaseException:
            self._leaving.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.close()

    def _start(self) -> None:
        self.steps.mkdir(parents=True)
        store_runs(self.storage, self.plan.stored)
        site = self.plan.folder / "site"
        step_log.install(site)
        if self.plan.second_host:
            self.host = SecondHost()
            self._leaving.callback(self.host.remove)
        # What killed processes leave in the temporary folder; its name is short, since sockets lie there.
        self._temporary = self._leaving.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))
        self._leaving.callback(self._free_disks)
        self._leaving.callback(self._end_processes)
        addresses = (self.host.here,) if self.host else ()
        self.redis = RedisServer(self.plan.folder / "redis", {**os.environ, MARK: self._mark}, addresses)
        self.redis.start()
        self._leaving.callback(self.redis.kill)  # it writes over its environment, and so over our mark
        self._environment = self._settings(site)
        self.client = self.new_client(PATIENCE_S)
        self._leaving.callback(self.client.close)
        self.start_api()
        self.client.wait_until_ready()
        self.datasets = self._ingest()
        self._start_workers()

    def _settings(self, site: Path) -> dict[str, str]:
        return {
            **os.environ,
            MARK: self._mark,
            "TMPDIR": self._temporary,
            "PYTHONPATH": f"{site}{os.pathsep}{REPOSITORY}",
            "OMP_NUM_THREADS": "1",
            "TRAINYARD_THREADS": "1",  # its sums are then made in one order
            "TRAINYARD_PORT": str(self.port),
            "TRAINYARD_STORAGE": str(self.storage.root),
            "TRAINYARD_REDIS_URL": self.redis.url,
            "TRAINYARD_LEASE_S": str(self.plan.lease_s),
            "TRAINYARD_MAX_CRASHES": str(MAX_CRASHES),
            step_log.FOLDER_VARIABLE: str(self.steps),
            step_log.STEP_VARIABLE: str(self.plan.step_s),
        }

    def _start_workers(self) -> None:
        for number in range(self.plan.workers):
            name = f"worker-{number}"
            self.workers.append(Worker(name, self._environment, self._log(name)))
        if self.host:
            url = f"redis://{self.host.here}:{self.redis.port}/0"
            there = {**self._environment, "TRAINYARD_REDIS_URL": url}
            self.remote = Worker("remote", there, self._log("remote"), self.host.prefix)
            self.workers.append(self.remote)

    def _ingest(self) -> dict[str, str]:
        """The ids of the sets by their tasks."""
        ingest = self._spawn("ingest", "-m", "workers", "ingest")
        datasets = {}
        for task, form in FORMATS.items():
            archive = self.plan.folder / f"{task}.zip"
            write_set(task, archive)
            datasets[task] = self.client.upload(archive, form)
        ingest.terminate()
        ingest.wait()
        return datasets

    def new_client(self, patience_s: float) -> Client:
        """A client of the cluster's API."""
        return Client(f"http://127.0.0.1:{self.port}", patience_s)

    def start_api(self) -> None:
        """Unless another action has."""
        if self._api is None:
            self._api = self._spawn("api", "-m", "app")

    def kill_api(self) -> None:
        """SIGKILL every process of the API, if it is there."""
        if self._api is None:
            return
        for process in [*psutil.Process(self._api.pid).children(recursive=True), self._api]:
            process.kill()
        self._api.wait()
        self._api = None

    def tend(self) -> None:
        """Start what has ended, as a service manager would."""
        for worker in self.workers:
            code = worker.exit_code
            if code is None:
                continue
            if code != -signal.SIGKILL and not (code == 0 and worker.is_leaving):
                self.odd_exits.append(f"{worker.name} ended with {code}")
            worker.start()

    def small_disk(self, run_id: str) -> SmallDisk:
        """Put a run's folder on a small disk."""
        self.starved.append(run_id)
        self._disks.append(SmallDisk(self.storage.run(run_id).path))
        return self._disks[-1]

    def survivors(self) -> list[psutil.Process]:
        """The processes that this cluster started, or that they started, and that live."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def _end_processes(self) -> None:
        while survivors := self.survivors():
            for process in survivors:
                process.kill()
            psutil.wait_procs(survivors, timeout=scaled(5))

    def _free_disks(self) -> None:
        for disk in self._disks:
            disk.remove()

    def _spawn(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def _log(self, name: str) -> Path:
        return self.plan.folder / f"{name}.log"
