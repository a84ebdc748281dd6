"""Many followers of one API process, while a run publishes events.

    python -m bench.events [--followers 500] [--rate 20] [--seconds 20]

Half of them read Server-Sent Events, half a WebSocket. An event's latency is the time from before it is
written to Redis until a follower has read it; each event counts once for each follower. Meanwhile one client
asks for the run twenty times a second, and one follower reads nothing: it is to be dropped, and to go on from
its last event. All clients are one thread of this process, on the same cores as the server.
"""

import argparse
import re
import selectors
import socket
import statistics
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.api import fill
from bench.machines.service import Service
from trainyard.registry.runs import RunRegistry
from trainyard.runs.events import Notice
from trainyard.storage.files import Storage
from trainyard.store.connection import connect

MEBIBYTE = 2**20
ASKED_PER_S = 20
SENT = re.compile(rb'"message": ?"sent (\d+)"')
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
KEY = "Sec-WebSocket-Key: dHJhaW55YXJkLWJlbmNoLQ==\r\n"


@dataclass
class Followers:
    """Connected clients; `late` has the seconds of each event to each of them."""

    port: int
    socks: list[socket.socket] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    ended: int = 0

    def connect(self, path: str, extra: str = "") -> socket.socket:
        """One more, from now on."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{extra}\r\n".encode())
        return sock

    def read(self, until: float) -> None:
        """Read what comes until that time (monotonic)."""
        with selectors.DefaultSelector() as selector:
            for sock in self.socks:
                selector.register(sock, selectors.EVENT_READ)
            while time.monotonic() < until:
                for key, _ in selector.select(0.1):
                    assert isinstance(key.fileobj, socket.socket)
                    data, now = key.fileobj.recv(65536), time.monotonic_ns()
                    if not data:
                        self.ended += 1
                        selector.unregister(key.fileobj)
                    self.late += [(now - int(sent)) / 1e9 for sent in SENT.findall(data)]


def publish(runs: RunRegistry, run_id: str, rate: float, seconds: float) -> None:
    """So many events a second, each with the time at which it is sent."""
    begin = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
        runs.live.append(run_id, Notice(message=f"sent {time.monotonic_ns()}"), lambda: "0-0")


def ask(service: Service, run_id: str, seconds: float, took: list[float]) -> None:
    """Read the run again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        service.client.runs.get(run_id)
        took.append(time.monotonic() - begin)
        time.sleep(max(0.0, 1 / ASKED_PER_S - took[-1]))


def percentile(values: list[float], share: float) -> float:
    """The value below which that share lies, in ms."""
    return sorted(values)[int(share * (len(values) - 1))] * 1000


def processes(service: Service) -> list[psutil.Process]:
    """Those of the API."""
    found = []
    for one in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if one.cmdline()[-1:] == ["app"] and one.environ().get("TRAINYARD_PORT") == str(service.port):
                found.append(one)
    return found


def measure(service: Service, run_id: str, count: int, rate: float, seconds: float) -> None:
    """Print the figures."""
    runs = RunRegistry(connect(service.redis_url), Storage(service.storage))
    alone: list[float] = []
    ask(service, run_id, 5, alone)
    server = processes(service)
    before = sum(one.memory_info().rss for one in server)
    followers = Followers(service.port)
    begin = time.monotonic()
    for number in range(count):
        path, extra = ("/api/v1/events", "") if number % 2 else ("/api/v1/ws", UPGRADE + KEY)
        followers.socks.append(followers.connect(path, extra))
    lazy = followers.connect("/api/v1/events")
    print(f"{count} followers connected in {time.monotonic() - begin:.1f} s")
    time.sleep(2)
    beside: list[float] = []
    work = [
        threading.Thread(target=publish, args=(runs, run_id, rate, seconds)),
        threading.Thread(target=ask, args=(service, run_id, seconds, beside)),
    ]
    used = sum(sum(one.cpu_times()[:2]) for one in server)
    for one in work:
        one.start()
    followers.read(time.monotonic() + seconds + 2)
    for one in work:
        one.join()
    used = sum(sum(one.cpu_times()[:2]) for one in server) - used
    wanted = count * int(rate * seconds)
    print(f"events: {len(followers.late)} of {wanted}, {followers.ended} streams ended")
    median, high, most = (percentile(followers.late, share) for share in (0.5, 0.99, 1.0))
    print(f"latency: median {median:.1f} ms, p99 {high:.1f} ms, most {most:.1f} ms")
    after = sum(one.memory_info().rss for one in server)
    mib = [f"{value / MEBIBYTE:.0f}" for value in (before, after)]
    print(f"server: {used / (seconds + 2):.0%} of a core, memory {' -> '.join(mib)} MiB")
    for name, took in (("alone", alone), ("beside", beside)):
        mean, high = statistics.mean(took) * 1000, percentile(took, 0.99)
        print(f"GET /runs/{{id}} {name}: mean {mean:.1f} ms, p99 {high:.1f} ms")
    drop(runs, run_id, followers, lazy)


def drop(runs: RunRegistry, run_id: str, followers: Followers, lazy: socket.socket) -> None:
    """Publish until the follower that reads nothing must have been dropped; then let it go on."""
    for number in range(2000):
        runs.live.append(run_id, Notice(message=f"{number} " + 1000 * "x"), lambda: "0-0")
    begin, found = time.monotonic(), b""
    lazy.settimeout(30)
    while data := lazy.recv(65536):
        found += data
    ids = re.findall(rb"^id: (\S+)$", found.rpartition(b"\n\n")[0], re.MULTILINE)
    print(f"slow reader: dropped after {len(ids)} ids, read in {time.monotonic() - begin:.1f} s")
    again = followers.connect("/api/v1/events", f"Last-Event-ID: {ids[-1].decode()}\r\n")
    rest = b""
    while b'"message":"1999 ' not in rest.replace(b'": ', b'":'):
        rest += again.recv(65536)
    numbers = [int(one) for one in re.findall(rb'"message": ?"(\d+) x', found.rpartition(b"\n\n")[0] + rest)]
    print(f"resumed: {2000 - len(set(numbers))} events missing, {len(numbers) - len(set(numbers))} twice")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.events", description=__doc__.partition("\n")[0])
    parser.add_argument("--followers", type=int, default=500)
    parser.add_argument("--rate", type=float, default=20.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), threads=1)
        with service.client, service.redis():
            (run_id, *_) = fill(service, 10)
            with service.running("web"):
                measure(service, run_id, asked.followers, asked.rate, asked.seconds)


if __name__ == "__main__":
    main()
