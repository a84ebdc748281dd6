"""Events over a WebSocket, by a client that speaks the protocol byte by byte."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from tests.api.server import Server
from tests.waits import scaled, wait_for
from trainyard.runs.record import Run

PATH = "/api/v1/ws"


class Socket:
    """A client of a WebSocket."""

    def __init__(self, server: Server, query: str, headers: dict[str, str]) -> None:
        port = server.http.base_url.port or 0
        self.line = socket.create_connection(("127.0.0.1", port), timeout=scaled(30))
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self._events: list[Any] = []
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.send(Request(host=f"127.0.0.1:{port}", target=f"{PATH}{query}", extra_headers=extra))

    def send(self, event: Any) -> None:
        self.line.sendall(self.protocol.send(event))

    def next(self) -> Any:
        while not self._events:
            self.protocol.receive_data(self.line.recv(65536) or None)
            self._events += list(self.protocol.events())
        return self._events.pop(0)

    def message(self) -> dict[str, Any]:
        found = self.next()
        assert isinstance(found, TextMessage), found
        return dict(json.loads(found.data))


@contextmanager
def connected(server: Server, query: str = "", **headers: str) -> Iterator[Socket]:
    client = Socket(server, query, headers)
    try:
        yield client
    finally:
        client.line.close()


@pytest.fixture
def run(server: Server) -> Run:
    """A run that waits."""
    (server.storage.root / "incoming" / "set").mkdir(parents=True)
    server.http.post("/api/v1/datasets", json={"name": "set", "path": "set"})
    body = {"dataset_id": server.ready_set(), "device_class": "cpu"}
    made = server.http.post("/api/v1/runs", json=body)
    assert made.status_code == 201, made.text
    return server.runs.get(made.json()["id"])


def test_events_come_as_messages_and_go_on_after_the_last_one(server: Server, run: Run):
    with connected(server, f"?runs={run.id}&kinds=status") as client:
        assert isinstance(client.next(), AcceptConnection)
        begin = client.message()
        assert begin["event"] == "place"
        held = server.runs.claim("cpu", "hand")
        assert held
        server.runs.publish_status(held)
        told = client.message()
        assert (told["event"], told["status"], told["run_id"]) == ("status", "running", run.id)
        client.send(Ping(payload=b"here"))
        answer = client.next()
        assert (type(answer), bytes(answer.payload)) == (Pong, b"here")
        client.send(TextMessage(data="nobody listens"))
        client.send(CloseConnection(code=1000))
        assert isinstance(client.next(), CloseConnection)
    with connected(server, f"?runs={run.id}", **{"Last-Event-ID": begin["id"]}) as client:
        client.next()
        assert client.message()["event"] == "place"
        assert client.message() == told


def test_a_stream_is_given_back_when_its_client_leaves(server: Server, run: Run):
    def streams() -> float:
        figures = server.http.get("/metrics").text.splitlines()
        return float(next(line.split()[-1] for line in figures if line.startswith("trainyard_event_streams")))

    with connected(server) as client:
        client.next()
        assert streams() == 1
    assert wait_for(streams, lambda count: count == 0) == 0
    with connected(server) as client:
        client.next()
        client.message()
        server.process.terminate()
        ends = client.next()
        assert (type(ends), ends.code) == (CloseConnection, 1001)


def test_pages_of_others_open_none(server: Server):
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        with connected(server, "", **headers) as client:
            refused = client.next()
            assert (type(refused), refused.status_code) == (RejectConnection, 403)
    port = server.http.base_url.port
    with connected(server, "", Origin=f"http://127.0.0.1:{port}") as client:
        assert isinstance(client.next(), AcceptConnection)


def test_what_is_refused_is_answered_as_any_request(server: Server, client: FlaskClient):
    with connected(server, "?kinds=nope") as socket_client:
        assert socket_client.next().status_code == 422
    with connected(server, "", **{"Last-Event-ID": "x"}) as socket_client:
        assert socket_client.next().status_code == 422
    plain = server.http.get(PATH)
    assert (plain.status_code, plain.headers["Upgrade"]) == (426, "websocket")
    assert plain.json()["status"] == 426
    assert client.get(PATH, headers={"Upgrade": "websocket"}).status_code == 426
    odd = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "1"}
    assert server.http.get(PATH, headers=odd).status_code == 426
