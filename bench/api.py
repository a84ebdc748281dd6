"""What the API does with many stored runs: one run, pages of lists, plain and filtered and sorted.

    python -m bench.api [--runs 10000] [--seconds 15] [--rate 100]
    python -m bench.api --runs 1000,10000,100000

A Redis of its own holds the runs, and a server of the API, one process, answers over HTTP. First, what one
request costs: seconds of a core of the server, and of Redis, over some hundred requests one by one. Then one
run and a page of 10 at once, and then one run and a filtered, sorted page, each `--rate` times a second, sent
when they are due whether or not earlier ones were answered; a request's time counts from when it was due.
With `wrk` on the machine, also how many a second it gets. Of several numbers of runs, each in a Redis of its
own, the costs are set in relation at the end.
"""

import argparse
import asyncio
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from bench.machines.service import Service
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import AttemptRecord, MetricSummary, Run, RunStatus
from trainyard.settings import Settings
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import Storage
from trainyard.storage.json_files import SCHEMA
from trainyard.store import keys
from trainyard.store.connection import connect

COUNTED = 400
"""Requests over which the cost of one is taken."""
CONNECTIONS = 32
FILTERED = "status=completed,stopped&project=project%203&limit=50&sort="
SORTED = (
    "best.val_miou",
    "last.val_loss",
    "ended_at",
    "created_at&tag=baseline",
    "best.val_miou&group=sweep%209",
)
CLASSES = 12
SEED = 0


@dataclass(frozen=True)
class Kind:
    """One kind of request: its name and the paths that are asked for in turn."""

    name: str
    paths: Sequence[str]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", default="10000", help="numbers of stored runs, separated by commas")
    parser.add_argument("--seconds", type=float, default=15.0, help="of the two kinds at once")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second of each kind")
    asked = parser.parse_args()
    counts = [int(text) for text in asked.runs.split(",")]
    costs = [of_so_many(count, asked.seconds, asked.rate) for count in counts]
    for name in costs[0] if len(counts) > 1 else ():
        ratios = ", ".join(
            f"{one[name] / costs[0][name]:.2f} of {count}" for one, count in zip(costs, counts, strict=True)
        )
        print(f"{name}, in relation: {ratios}")


def of_so_many(count: int, seconds: float, rate: float) -> dict[str, float]:
    """The figures with so many runs; ms of a core, of server and Redis together, by kind of request."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), threads=1)
        with service.redis():
            ids = fill(service, count)
            print(f"{count} runs:", flush=True)
            with service.running("web"):
                await_comparison(service)
                return measure(service, ids, seconds, rate)


def measure(service: Service, ids: list[str], seconds: float, rate: float) -> dict[str, float]:
    """The cost of each kind, which is returned, then two kinds at once."""
    port = service.port
    chosen = random.Random(SEED).sample(ids, min(len(ids), 2000))  # noqa: S311
    one = Kind("GET /runs/{id}", [f"/api/v1/runs/{run_id}" for run_id in chosen])
    ten, fifty = (Kind(f"page of {n}", [f"/api/v1/runs?limit={n}"]) for n in (10, 50))
    sorted_ = Kind("filtered, sorted page of 50", [f"/api/v1/runs?{FILTERED}{one}" for one in SORTED])
    searched = Kind("page of 50 by text", ["/api/v1/runs?text=run%20777", "/api/v1/runs?text=no%20run"])
    costs = {kind.name: cost(port, kind) for kind in (one, ten, fifty, sorted_, searched)}
    for page in (ten, sorted_):
        print(asyncio.run(both(port, (one, page), rate, seconds)), flush=True)
    if shutil.which("wrk"):
        for kind in (one, ten, fifty, sorted_):
            print(throughput(port, kind.paths[0]), flush=True)
    return costs


def await_comparison(service: Service) -> None:
    """Return when the server has compared Redis with storage, as it does after every start of Redis."""
    client = connect(service.redis_url)
    begin = time.perf_counter()
    while not client.exists(keys.INDEXED):
        time.sleep(0.1)
    print(f"compared with storage, from being ready on: {time.perf_counter() - begin:.1f} s", flush=True)
    client.close()


def fill(service: Service, count: int) -> list[str]:
    """Put ended runs into storage and Redis; their ids."""
    client = connect(service.redis_url)
    runs = RunRegistry(client, Storage(service.storage))
    spec = Experiments(Settings().configs).compose({})
    ids = []
    for number in range(count):
        run = a_run(number, spec)
        content = runs.to_json(run)
        file = Storage(service.storage).run(run.id).record
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"schema": SCHEMA, **content}))
        runs._store.restore({run.id: run}, runs._life, runs.rules)
        ids.append(run.id)
    client.delete(keys.unmirrored("run"))  # their files have just been written
    client.set(keys.LISTS, keys.LISTS_VERSION)
    client.close()
    return ids


def a_run(number: int, spec: TrainingSpec) -> Run:
    """A run that two attempts have completed, or that failed with 200 lines of its log: every twentieth."""
    failed = number % 20 == 0
    best = {"epoch": 12, "step": 4800, "val_miou": 0.71, "val_loss": 0.31, "train_loss": 0.22}
    best |= {f"val_iou/class {index}": 0.7123456789 for index in range(CLASSES)}
    result = {
        "status": "completed",
        "best_epoch": 12,
        "best": best,
        "images_per_second": 61.2,
        "export": None,
    }
    attempts = [
        AttemptRecord(attempt=one, worker=f"host:{one}:abc", device="cpu", started_at=1.0, ended_at=2.0)
        for one in (1, 2)
    ]
    error = {"code": "nan_loss", "cause": "user", "message": "The loss became NaN.", "remedy": "Lower it."}
    return Run(
        id=f"run-{number:012x}",
        project=f"project {number % 7}",
        name=f"run {number}",
        notes="why this one was trained\n" * 3,
        dataset_id="ds-000000000000",
        dataset_hash="ab" * 32,
        spec=replace(spec, seed=number),
        status=RunStatus.FAILED if failed else RunStatus.COMPLETED,
        revision=9,
        queue="cpu",
        created_at=1.7e9 + number,
        started_at=1.7e9 + number + 5,
        ended_at=1.7e9 + number + 500,
        epochs=20,
        epoch=20,
        step=8000,
        fence=2,
        attempts=tuple(attempts),
        result=None if failed else result,
        error={**error, "log_tail": ["a line of the log that tells of a step"] * 200} if failed else None,
        labels={"request": "cd" * 32},
        tags=("baseline",) if number % 11 == 0 else (),
        group=f"sweep {number % 1000}",
        metrics={
            name: MetricSummary(best=value, best_epoch=12, last=value, last_epoch=20)
            for name, value in (("val_miou", number * 37 % 1009 / 1009), ("val_loss", number % 911 / 911))
        },
        best_row={name: value for name, value in best.items() if "/" not in name},
        last_row={name: value for name, value in best.items() if "/" not in name},
    )


def cost(port: int, kind: Kind) -> float:
    """Print and return ms of a core that one request takes, of the server and of Redis together."""
    for path in kind.paths[:20]:
        asyncio.run(ask_all(port, [path]))
    with busy("-m app") as server, busy("redis-server") as redis:
        size = asyncio.run(ask_all(port, list(itertools.islice(itertools.cycle(kind.paths), COUNTED))))
    each = [1000 * one.seconds / COUNTED for one in (server, redis)]
    print(
        f"{kind.name}: {each[0]:.2f} ms of a core in the server, {each[1]:.2f} ms in Redis, "
        f"{size / COUNTED / 1000:.1f} kB on the wire",
        flush=True,
    )
    return sum(each)


@dataclass
class Busy:
    """Processor time of some processes, in seconds."""

    seconds: float = 0.0


@contextmanager
def busy(words: str) -> Iterator[Busy]:
    """What the processes of this benchmark whose command has these words take meanwhile."""
    found = Busy()
    processes = [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE and words in " ".join(process.cmdline())
    ]
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    yield found
    found.seconds = sum(sum(process.cpu_times()[:2]) for process in processes) - before


async def ask_all(port: int, paths: list[str]) -> int:
    """Ask for them one after the other on one connection; bytes that came."""
    connection = await asyncio.open_connection("127.0.0.1", port)
    size = sum([await ask(connection, path) for path in paths])
    connection[1].close()
    return size


async def ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], path: str) -> int:
    """One request; the bytes of its answer, which must be 200."""
    reader, writer = connection
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.partition(b"\r\n")[0], head
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return len(head) + length


async def both(port: int, kinds: Sequence[Kind], rate: float, seconds: float) -> str:
    """Ask for each kind so many times a second; how long answers took from when they were due."""
    pool: asyncio.Queue[Any] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        pool.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    took: dict[str, list[float]] = {kind.name: [] for kind in kinds}

    async def one(kind: Kind, path: str, due: float) -> None:
        await asyncio.sleep(due - time.perf_counter())
        connection = await pool.get()
        await ask(connection, path)
        pool.put_nowait(connection)
        took[kind.name].append(time.perf_counter() - due)

    begin = time.perf_counter() + 0.5
    number = round(rate * seconds)
    with busy("-m app") as server, busy("redis-server") as redis:
        requests = [
            one(kind, kind.paths[index % len(kind.paths)], begin + (index + place / len(kinds)) / rate)
            for place, kind in enumerate(kinds)
            for index in range(number)
        ]
        await asyncio.gather(*requests)
        passed = time.perf_counter() - begin
    lines = [f"both at once, {len(requests) / passed:.0f} answers a second in all:"]
    lines += [f"  {name}: {percentiles(times)}" for name, times in took.items()]
    share = (
        f"{100 * server.seconds / passed:.0f} % of a core in the server, {100 * redis.seconds / passed:.0f} %"
    )
    return "\n".join([*lines, f"  {share} in Redis"])


def percentiles(times: list[float]) -> str:
    """Of so many seconds, in ms."""
    ordered = sorted(times)
    at = [1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99, 0.999)]
    return f"median {at[0]:.1f} ms, p99 {at[1]:.1f} ms, p99.9 {at[2]:.1f} ms"


def throughput(port: int, path: str) -> str:
    """What wrk says of as many requests as the server answers."""
    command = ["wrk", "-t1", "-c8", "-d5s", "-H", "Accept-Encoding: gzip", f"http://127.0.0.1:{port}{path}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in said.splitlines() if line.startswith("Requests/sec"))
    return f"wrk, {path}: {line}"


if __name__ == "__main__":
    sys.exit(main())
