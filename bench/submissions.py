"""Many submissions at the same moment: whether all are accepted, and how long that takes.

    python -m bench.submissions [--count 1000]

As many clients, each with a connection of its own, send one POST /runs each, all at once, to one API process
over a Redis that has every write on disk before it answers. Only 201 counts as accepted: what the server
itself refuses, by 429 or 503, does not. Told are the statuses, the time from first request to last answer,
that of single answers and of GET /healthz beside them, and the server's memory.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.api import percentiles
from bench.events import processes
from bench.machines.service import Service
from trainyard.datasets.record import Dataset
from trainyard.registry.datasets import DatasetRegistry
from trainyard.storage.files import Storage
from trainyard.store.connection import connect

MEBIBYTE = 2**20
CLASS = {"color": [0, 0, 0], "pixels": 10, "share": 0.5, "images": 10}
SUMMARY = {
    "content_hash": "ab" * 32,
    "images": 10,
    "splits": {"train": 8, "val": 2},
    "classes": [{"index": number, "name": f"class {number}", "value": number, **CLASS} for number in (0, 1)],
    "ignore_share": 0.0,
    "sizes": {"64x64": 10},
    "mean": [0.5, 0.5, 0.5],
    "std": [0.2, 0.2, 0.2],
}


def main() -> None:
    """Print the figures; the status says whether all were accepted."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.submissions", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--count", type=int, default=1000, help="submissions")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), threads=1)
        with service.client, service.redis():
            dataset_id = ready_set(service)
            with service.running("web"):
                sys.exit(measure(service, dataset_id, asked.count))


def ready_set(service: Service) -> str:
    """A data set as an ingest leaves it; its id."""
    sets = DatasetRegistry(connect(service.redis_url), Storage(service.storage))
    sets.submit(Dataset(id="ds-000000000001", name="set", project="p", created_at=1.0))
    held = sets.claim("ingest", "bench")
    assert held
    return sets.finish(held, "ready", summary=SUMMARY).id


def measure(service: Service, dataset_id: str, count: int) -> int:
    """The figures; 1 where a submission was not accepted."""
    server = processes(service)
    before = sum(one.memory_info().rss for one in server)
    statuses, took, beside, seconds = asyncio.run(all_at_once(service.port, dataset_id, count))
    after = sum(one.memory_info().rss for one in server)
    listed = sum(1 for _ in service.client.runs.list())
    print(f"{count} submissions at once: {dict(statuses)} in {seconds:.1f} s, {count / seconds:.0f} a second")
    print(f"  an answer: {percentiles(took)}; /healthz beside them: {percentiles(beside)}")
    print(f"  {listed} runs are listed; memory {before / MEBIBYTE:.0f} -> {after / MEBIBYTE:.0f} MiB")
    return int(statuses[201] != count or listed != count)


async def all_at_once(
    port: int, dataset_id: str, count: int
) -> tuple[Counter[int], list[float], list[float], float]:
    """Statuses, seconds of each answer and of those of /healthz, and seconds of all together."""
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    statuses: Counter[int] = Counter()
    took, beside = [], []
    begin = time.perf_counter()

    async def submit(number: int) -> None:
        body = json.dumps({"dataset_id": dataset_id, "name": f"run {number}"})
        statuses[await asked(lines[number], "POST", "/api/v1/runs", body)] += 1
        took.append(time.perf_counter() - begin)

    async def look() -> None:
        line = await asyncio.open_connection("127.0.0.1", port)
        while len(took) < count:
            due = time.perf_counter()
            await asked(line, "GET", "/healthz", "")
            beside.append(time.perf_counter() - due)
            await asyncio.sleep(0.05)

    await asyncio.gather(look(), *(submit(number) for number in range(count)))
    return statuses, took, beside, time.perf_counter() - begin


async def asked(
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter], method: str, path: str, body: str
) -> int:
    """The status of one request's answer."""
    reader, writer = line
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n{body}".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
    return int(answer.split(b" ", 2)[1])


if __name__ == "__main__":
    main()
