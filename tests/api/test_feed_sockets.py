"""Many followers of one server: no thread is theirs, and who is slow or leaves is nobody's burden."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Ping, Pong, Request, TextMessage

from tests.api.server import Server
from tests.unit.outages import Server as RedisServer
from tests.unit.records import a_run
from tests.waits import scaled, wait_for
from trainyard.datasets.record import Dataset
from trainyard.runs.events import EpochEnd, Notice
from trainyard.runs.record import Run

MANY = 150
"""More than there are slots for streams that hold a thread."""


@pytest.fixture
def server(redis_url: str, tmp_path: Path) -> Iterator[Server]:
    running = Server(redis_url, tmp_path)
    running.start()
    yield running
    running.close()


@pytest.fixture
def run(server: Server) -> Run:
    dataset = Dataset(id="ds-000000000001", name="cells", project="a", created_at=1.0)
    server.datasets.submit(dataset)
    return server.runs.submit(a_run(1, dataset_id=dataset.id))[1]


class Follower:
    """A client of GET /events that reads only when it is asked to."""

    def __init__(self, server: Server, query: str = "", last: str | None = None) -> None:
        port = server.http.base_url.port or 0
        self.line = socket.create_connection(("127.0.0.1", port), timeout=scaled(30))
        sent = f"Last-Event-ID: {last}\r\n" if last else ""
        head = f"GET /api/v1/events{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{sent}\r\n"
        self.line.sendall(head.encode())
        self.text = b""

    def until(self, mark: bytes) -> bytes:
        """What has come, once that is among it; or all, once the server has ended the stream."""
        while mark not in self.text:
            data = self.line.recv(65536)
            if not data:
                break
            self.text += data
        return self.text

    def ids(self) -> list[str]:
        """Of the blocks that came whole."""
        return re.findall(r"^id: (\S+)$", self.text.rpartition(b"\n\n")[0].decode(), re.MULTILINE)


def followers(server: Server) -> float:
    lines = server.http.get("/metrics").text.splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith("trainyard_event_streams")))


def tell(server: Server, run: Run, epoch: int) -> None:
    server.runs.live.append(run.id, EpochEnd(epoch=epoch, step=epoch, metrics={}), lambda: "0-0")


def told(text: bytes) -> list[int]:
    return [int(epoch) for epoch in re.findall(rb'"epoch": ?(\d+),', text)]


def test_there_may_be_more_followers_than_threads_for_streams(server: Server, run: Run):
    with ExitStack() as stack:
        found = [Follower(server) for _ in range(MANY)]
        for one in found:
            stack.enter_context(one.line)
            begin = one.until(b"id: ")
            assert begin.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"Content-Length" not in begin
        wait_for(lambda: followers(server), lambda count: count == MANY)
        tell(server, run, 1)
        for one in found:
            assert told(one.until(b"epoch")) == [1]
        assert server.http.get("/ping").status_code == 200
    wait_for(lambda: followers(server), lambda count: count == 0)


def test_what_was_there_comes_first_and_what_comes_after_it_once(server: Server, run: Run):
    first = Follower(server)
    first.until(b"id: ")
    for epoch in range(1, 4):
        tell(server, run, epoch)
    first.until(b'"epoch": 3')
    for place in (0, 1, 2):
        one = Follower(server, last=list(dict.fromkeys(first.ids()))[place])
        tell(server, run, 4 + place)
        one.until(f'"epoch": {4 + place}'.encode())
        assert told(one.text) == list(range(1 + place, 5 + place))
        one.line.close()
    first.line.close()


def test_a_project_and_kinds_are_kept_apart(server: Server, run: Run):
    wanted, other = Follower(server, "?project=a&kinds=epoch"), Follower(server, "?project=b")
    for one in (wanted, other):
        one.until(b"id: ")
    server.runs.live.append(run.id, Notice(message="never mind"), lambda: "0-0")
    tell(server, run, 1)
    assert b"never mind" not in wanted.until(b'"epoch": 1')
    assert told(other.text) == []
    for one in (wanted, other):
        one.line.close()


def test_who_takes_nothing_is_dropped_and_can_go_on(server: Server, run: Run):
    slow = Follower(server)
    slow.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.until(b"id: ")
    wait_for(lambda: followers(server), lambda count: count == 1)
    count = 0
    while followers(server):
        for _ in range(200):
            count += 1
            server.runs.live.append(run.id, Notice(message=f"<{count}>" + 2000 * "x"), lambda: "0-0")
    slow.until(b"not sent")
    last = slow.ids()[-1]
    whole = slow.text.rpartition(b"\n\n")[0]
    again = Follower(server, last=last)
    again.until(f"<{count}>".encode())
    numbers = [int(number) for number in re.findall(rb"<(\d+)>", whole + again.text)]
    assert numbers == list(range(1, count + 1))
    assert server.memory() < 600 * 2**20
    for one in (slow, again):
        one.line.close()


def test_pings_are_answered(server: Server, run: Run):
    port = server.http.base_url.port or 0
    line = socket.create_connection(("127.0.0.1", port), timeout=scaled(30))
    protocol = WSConnection(ConnectionType.CLIENT)
    line.sendall(protocol.send(Request(host=f"127.0.0.1:{port}", target="/api/v1/ws")))
    events: list[object] = []

    def next_event() -> object:
        while not events:
            protocol.receive_data(line.recv(65536) or None)
            events.extend(protocol.events())
        return events.pop(0)

    assert [type(next_event()) for _ in range(2)] == [AcceptConnection, TextMessage]
    wait_for(lambda: followers(server), lambda count: count == 1)
    line.sendall(protocol.send(Ping(payload=b"there?")))
    answer = next_event()
    assert isinstance(answer, Pong)
    assert answer.payload == b"there?"
    line.close()


def test_followers_are_let_go_while_redis_is_away(tmp_path: Path):
    (tmp_path / "redis").mkdir()
    store = RedisServer(tmp_path / "redis")
    server = Server(store.url, tmp_path)
    server.start()
    try:
        one = Follower(server)
        one.until(b"id: ")
        wait_for(lambda: followers(server), lambda count: count == 1)
        store.kill()
        assert one.until(b"never sent").endswith(b": ends early, connect again\n\n")
        store.start()

        def begins_again() -> bool:
            again = Follower(server, last=one.ids()[-1])
            with again.line:
                return b" 200 OK" in again.until(b"\n\n")

        wait_for(begins_again)
    finally:
        server.close()
        store.kill()
