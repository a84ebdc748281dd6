"""How the service grows with workers: throughput, what a run costs beside its training, what Redis is asked.

    python -m bench.scale [--workers 1,2,4,16] [--seconds 5] [--runs 4] [--per-host 4]

Each host is a network namespace (`hosts.py`) with some workers of a simulated engine: child processes that
sleep for `--seconds` in place of computing, under the supervisor, the leases, the Redis and the storage of a
real one. Each worker is given `--runs` runs. Throughput is that of all, from the first begin to the last end,
beside what so many workers would come to that did nothing but sleep. Then how long a claim takes where 10,000
runs of 1,000 projects wait, and what clients notice of an API process that is killed behind nginx, where that
is installed.
"""

import argparse
import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path

from bench.machines.balanced import balanced
from bench.machines.hosts import Host, hosts
from bench.measures.turns import environment
from bench.simulated.engine import EPOCHS
from deploy.redis import free_port, server_command
from trainyard.datasets.record import Dataset
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.settings import REPOSITORY, Settings
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.store.connection import Client, connect
from trainyard.store.processes.workers import WorkerStore

DATASET, HASH = "ds-000000000001", "ab" * 32
IDLE_S = 10.0
START_S = 600.0
WAITING, PROJECTS, CLAIMS = 10_000, 1_000, 200


class Cluster:
    """A Redis that listens to all hosts, a storage, and workers."""

    def __init__(self, folder: Path, gateway: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://{gateway}:{self.port}/0"
        self._gateway = gateway
        self.storage = Storage(folder / "storage")
        self.client: Client = connect(self.url)
        self.runs = RunRegistry(self.client, self.storage)
        self._spec = Experiments(Settings().configs).compose({"epochs": EPOCHS})

    @contextmanager
    def redis(self) -> Iterator[None]:
        """As `make up` has it, every write on disk before it is answered."""
        (self.folder / "redis").mkdir()
        own = () if self._gateway == "127.0.0.1" else (self._gateway,)
        command = [*server_command(self.port, self.folder / "redis", *own), "--protected-mode", "no"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            try:
                time.sleep(1)
                yield
            finally:
                server.terminate()

    @contextmanager
    def workers(self, machines: Sequence[Host], count: int, per_host: int) -> Iterator[None]:
        """So many, until the block ends; all of them serve when it begins."""
        told = {**environment(1), "TRAINYARD_REDIS_URL": self.url, "TRAINYARD_THREADS": "1"}
        told["TRAINYARD_STORAGE"] = str(self.storage.root)
        processes = []
        with (self.folder / "workers.log").open("a") as log:
            for number in range(count):
                command = machines[number // per_host].command(sys.executable, "-m", "bench.simulated")
                processes.append(subprocess.Popen(command, cwd=REPOSITORY, env=told, stdout=log, stderr=log))
        try:
            self._await_workers(count)
            yield
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()

    def _await_workers(self, count: int) -> None:
        deadline = time.monotonic() + START_S
        while len(WorkerStore(self.client).all()) < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"Not all of {count} workers have started: see {self.folder}/workers.log")
            time.sleep(0.5)

    def prepare(self, seconds: float) -> None:
        """A data set whose runs sleep for so long."""
        DatasetRegistry(self.client, self.storage).submit(
            Dataset(id=DATASET, name="d", project="p", created_at=0)
        )
        prepared = self.storage.dataset(DATASET).version(HASH)
        prepared.mkdir(parents=True)
        (prepared / "seconds").write_text(str(seconds))

    def run(self, number: int, project: str = "p", queue: str = "cpu") -> Run:
        """A record to submit."""
        return Run(
            id=f"run-{number:012x}",
            project=project,
            name=f"run {number}",
            dataset_id=DATASET,
            dataset_hash=HASH,
            spec=self._spec,
            queue=queue,
            created_at=1.0,
            epochs=EPOCHS,
        )

    @property
    def commands(self) -> int:
        """What Redis has been asked since its start."""
        return int(self.client.info("stats")["total_commands_processed"])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", default="1,2,4,16", help="numbers of workers, separated by commas")
    parser.add_argument("--seconds", type=float, default=5.0, help="that each run sleeps")
    parser.add_argument("--runs", type=int, default=4, help="of each worker")
    parser.add_argument("--per-host", type=int, default=4)
    asked = parser.parse_args()
    numbers = itertools.count(1)
    counts = [int(text) for text in asked.workers.split(",")]
    with hosts(-(-max(counts) // asked.per_host)) as machines:
        print("hosts are", "network namespaces" if machines[0].name else "this machine itself", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            cluster = Cluster(Path(folder), machines[0].gateway)
            with cluster.redis():
                cluster.prepare(asked.seconds)
                for count in counts:
                    with cluster.workers(machines, count, asked.per_host):
                        print(measured(cluster, count, asked.seconds, asked.runs, numbers), flush=True)
                print(claims(cluster, numbers), flush=True)
                if shutil.which("nginx"):
                    print(balanced(Path(folder), cluster.url, cluster.storage.root), flush=True)


def measured(cluster: Cluster, workers: int, seconds: float, each: int, numbers: Iterator[int]) -> str:
    """What Redis is asked by idle workers, then all runs of them."""
    time.sleep(3)
    before = cluster.commands
    time.sleep(IDLE_S)
    idle = (cluster.commands - before) / IDLE_S / workers
    ids = [cluster.run(next(numbers)) for _ in range(workers * each)]
    before = cluster.commands
    for run in ids:
        cluster.runs.submit(run)
    _await_trained(cluster, [run.id for run in ids])
    busy = cluster.commands - before
    attempts = [cluster.runs.get(run.id).attempts[0] for run in ids]
    begun, ended = min(one.started_at for one in attempts), max(one.ended_at or 0.0 for one in attempts)
    efficiency = len(ids) * seconds / (workers * (ended - begun))
    inside = statistics.median((one.ended_at or 0.0) - one.started_at - seconds for one in attempts)
    by_worker = defaultdict(list)
    for one in attempts:
        by_worker[one.worker].append(one)
    gaps = [
        later.started_at - (earlier.ended_at or 0.0)
        for mine in by_worker.values()
        for earlier, later in itertools.pairwise(sorted(mine, key=attrgetter("started_at")))
    ]
    between = statistics.median(gaps) if gaps else 0.0
    return (
        f"{workers} workers: {len(ids) / (ended - begun):.2f} runs/s, {efficiency:.3f} of linear; of a run "
        f"{1000 * inside:.0f} ms beside its sleep, {1000 * between:.0f} ms to the next (medians); Redis is "
        f"asked {idle:.1f}/s by an idle worker, {busy / (ended - begun) / workers:.1f}/s by a busy one"
    )


_UNTRAINED = (RunStatus.QUEUED, RunStatus.RUNNING)


def _await_trained(cluster: Cluster, run_ids: list[str]) -> None:
    for run_id in run_ids:
        while cluster.runs.get(run_id).status in _UNTRAINED:
            time.sleep(0.5)


def claims(cluster: Cluster, numbers: Iterator[int]) -> str:
    """How long a claim takes where many runs wait; of a class that no worker serves."""
    store, rules = cluster.runs._store, LeaseRules(lease_s=600)
    cluster.client.config_set("appendfsync", "no")  # only while they are put there
    for number in range(WAITING):
        run = cluster.run(next(numbers), project=f"project {number % PROJECTS}", queue="gpu")
        store.submit(run, run.id, RunStatus.QUEUED)
    cluster.client.config_set("appendfsync", "always")
    took, before = [], _cpu_s(cluster.client)
    for number in range(CLAIMS):
        begin = time.perf_counter()
        store.claim("gpu", f"w{number}", cluster.runs._life, rules)
        took.append(1000 * (time.perf_counter() - begin))
    cpu = 1000 * (_cpu_s(cluster.client) - before) / CLAIMS
    return (
        f"a claim where {WAITING} runs of {PROJECTS} projects wait: median {statistics.median(took):.1f} ms, "
        f"p99 {sorted(took)[int(0.99 * CLAIMS)]:.1f} ms, {cpu:.2f} ms of a core in Redis"
    )


def _cpu_s(client: Client) -> float:
    found = client.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


if __name__ == "__main__":
    sys.exit(main())
