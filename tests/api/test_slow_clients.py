"""Clients that are slow, idle or hostile, at a real server."""

import re
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from app.server import paced_socket
from app.server.paced_socket import PacedSocket
from app.server.serve import THREADS
from app.server.waits import Waits
from app.server.worker import REQUEST_S
from app.service.datasets.uploads import MAX_UPLOADS
from tests.api.server import Server
from tests.waits import scaled, wait_for
from trainyard.errors import TooManyUploads
from trainyard.registry.event_log import publish
from trainyard.runs.events import Notice

CROWD = 400
"""More than the server has threads."""
HEAD = b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
UPLOAD = (
    b"POST /api/v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
)


def connect(server: Server) -> socket.socket:
    address = (server.http.base_url.host, server.http.base_url.port)
    return socket.create_connection(address, timeout=scaled(60))


def status(client: socket.socket) -> int:
    """Of the answer, whose beginning is read."""
    found = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", client.recv(65536))
    assert found
    return int(found[1])


def log_with(server: Server, *words: str) -> str:
    """The server's log, once it has all of them: a line is written after its answer."""
    return wait_for(
        server.log.read_text, lambda log: all(word in log for word in words), 4 * paced_socket.STALL_S
    )


@contextmanager
def crowd(server: Server, sent: bytes, count: int) -> Iterator[list[socket.socket]]:
    """Clients that have sent so much, and now wait."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(count)]
        for client in clients:
            client.sendall(sent)
        yield clients


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHo",
        b"\r\n\r\n\r\n",
        HEAD + b"Content-Length: 1000\r\n\r\n{",
        HEAD + b"Content-Length: 1000\r\n\r\n" + b" " * 999,
        HEAD + b"X: " + b"x" * 70_000,
        b"GET /ping HTTP/1.0\r\n\r\n",
        b"GARBAGE\r\n\r\n",
    ],
    ids=["nothing", "half a head", "empty lines", "a head", "most of a body", "no end", "last", "nonsense"],
)
def test_a_crowd_that_sends_no_whole_request_stops_nobody(server: Server, sent: bytes):
    with crowd(server, sent, CROWD):
        assert server.http.get("/healthz").status_code == 200
        assert server.http.get("/api/v1/runs").status_code == 200


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "sent",
    [HEAD + b"Content-Length: 500000\r\n\r\n{", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
     HEAD + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n"],
    ids=["large", "chunked", "expecting"],
)  # fmt: skip
def test_bodies_that_a_thread_waits_for_stop_nobody(server: Server, sent: bytes):
    with crowd(server, sent, CROWD) as clients:
        assert server.http.get("/healthz").status_code == 200
        assert server.http.post("/api/v1/runs", json={}).status_code == 422
        refused = b""
        while not refused and (part := clients[-1].recv(65536)):  # the first packet may have the 100 alone
            refused = part.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After" in refused


def test_uploads_are_bounded_in_number_and_the_rest_may_try_again(server: Server):
    with crowd(server, UPLOAD, 2 * MAX_UPLOADS) as clients:
        turned_away = wait_for(
            lambda: select.select(clients, [], [], 0)[0], lambda found: len(found) == MAX_UPLOADS
        )
        refused = upload(server)
        assert refused.status_code == 503
        assert server.http.get("/healthz").status_code == 200
        assert refused.json()["code"] == "too_many_uploads"
        assert int(refused.headers["Retry-After"]) > 0
        next(client for client in clients if client not in turned_away).close()
        assert upload(server).status_code == 422, "it is read, and is no archive"


def upload(server: Server) -> httpx.Response:
    return server.http.post("/api/v1/datasets", files={"file": ("a.zip", b"x")}, data={"name": "a"})


def test_what_does_not_come_in_time_is_refused(server: Server):
    with connect(server) as half, connect(server) as idle:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        half.settimeout(REQUEST_S + scaled(20))
        idle.settimeout(REQUEST_S + scaled(20))
        assert status(half) == 408
        assert half.recv(1) == b""
        assert idle.recv(1) == b""


def test_heads_in_pieces_and_requests_behind_each_other_are_served(server: Server):
    request = b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connect(server) as client:
        for _ in range(3):
            for piece in (request[:9], request[9:-1], request[-1:]):
                client.sendall(piece)
                time.sleep(0.05)
            assert status(client) == 200
        client.sendall(request + request)
        found = b""
        while found.count(b'{"status":"ok"}') < 2:
            found += client.recv(65536)
        client.sendall(HEAD + b"Content-Length: 2\r\n\r\n")
        client.sendall(b"{}")
        assert status(client) == 422
    with connect(server) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        assert status(client) == 200


def followers(server: Server) -> float:
    lines = server.http.get("/metrics").text.splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith("trainyard_event_streams")))


def submitted(server: Server) -> str:
    """A run that is queued."""
    body = {"dataset_id": server.ready_set()}
    return str(server.http.post("/api/v1/runs", json=body).json()["id"])


@pytest.fixture
def run_id(server: Server) -> str:
    (server.storage.root / "incoming").mkdir(parents=True, exist_ok=True)
    (server.storage.root / "incoming" / "set").mkdir()
    answer = server.http.post("/api/v1/datasets", json={"name": "set", "path": "set"})
    assert answer.status_code == 202, answer.text
    return submitted(server)


def test_those_who_follow_runs_and_logs_hold_no_thread(server: Server, run_id: str):
    paths = (f"runs/{run_id}/events", f"runs/{run_id}/log?follow=true", f"events?runs={run_id}&kinds=log")
    requests = [f"GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths]
    with ExitStack() as stack:
        found = [stack.enter_context(crowd(server, request, THREADS // 2)) for request in requests]
        for client in [one for clients in found for one in clients]:
            assert status(client) == 200
        assert server.http.get("/healthz").status_code == 200
        for client in found[0]:
            client.close()
        with server.http.stream("GET", f"/api/v1/runs/{run_id}/events?kinds=epoch") as other:
            assert other.status_code == 200
            log_with(server, f'/runs/{run_id}/events" 200 ')


def test_a_line_for_each_request_and_no_key_in_any(server: Server):
    server.http.get("/modeles?api_key=secret", headers={"X-Request-ID": "mine"})
    server.http.get("/nothing%0Ahere?%61pi_key=secret")
    with connect(server) as client:
        client.sendall(b"GET /study?api_key=secret\r\n\r\n")
        assert status(client) == 400
    log = log_with(server, "/nothing", "/study", "/modeles")
    assert re.search(
        r'^\[.*\+0000\] 127\.0\.0\.1 "GET /modeles" 200 [0-9]+ [0-9.]+s mine$', log, re.MULTILINE
    )
    assert '"GET /nothing%0Ahere" 404 ' in log
    assert "/study?..." in log
    assert "secret" not in log


@pytest.fixture
def pair() -> Iterator[tuple[PacedSocket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    with client, accepted:
        yield PacedSocket(accepted, Waits(receiving=1, sending=1)), client


def test_a_body_must_come_at_a_rate(pair, monkeypatch: pytest.MonkeyPatch):
    server, client = pair
    monkeypatch.setattr(paced_socket, "BODY_S", 0.2)
    monkeypatch.setattr(paced_socket, "BODY_BYTES_PER_S", 10)
    client.sendall(b"12345")
    assert server.recv(100) == b"12345"
    with pytest.raises(TimeoutError):
        server.recv(100)


def test_who_takes_nothing_is_given_up(pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    server, client = pair
    monkeypatch.setattr(paced_socket, "STALL_S", 0.2)
    with pytest.raises(TimeoutError):
        server.sendall(bytes(50_000_000))
    path = tmp_path / "file"
    path.write_bytes(bytes(1_000_000))
    with path.open("rb") as file, pytest.raises(TimeoutError):
        server.sendfile(file)
    assert client.recv(10) == bytes(10)


def test_a_client_beyond_those_that_are_waited_for_is_refused(pair):
    server, client = pair
    with server.waits.to_receive(AssertionError), pytest.raises(TooManyUploads):
        server.recv(10)
    with server.waits.to_send(AssertionError), pytest.raises(TimeoutError):
        server.sendall(bytes(50_000_000))
    client.sendall(b"here")
    assert server.recv(10) == b"here"


def test_a_slow_reader_gets_all(pair):
    server, client = pair
    client.settimeout(scaled(10))
    server.sendall(b"x" * 100_000)
    assert sum(len(client.recv(1000)) for _ in range(100)) == 100_000


def test_a_stream_that_nobody_reads_is_closed(server: Server, run_id: str):
    request = f"GET /api/v1/runs/{run_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    folder = server.storage.run(run_id)
    with connect(server) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(request)
        assert status(client) == 200
        wait_for(lambda: followers(server), lambda count: count == 1)
        for _ in range(2000):
            publish(server.runs.live, folder, run_id, Notice(message="x" * 5000))
        wait_for(lambda: followers(server), lambda count: count == 0, 4 * paced_socket.STALL_S)


def test_of_a_stream_nothing_but_its_head_is_sent_where_that_is_asked_for(server: Server, run_id: str):
    for path in (f"runs/{run_id}/events", f"runs/{run_id}/log?follow=true", "events"):
        with connect(server) as client:
            client.sendall(
                f"HEAD /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            found = b""
            while data := client.recv(65536):
                found += data
            assert found.startswith(b"HTTP/1.1 200 ")
            assert found.endswith(b"\r\n\r\n")
    assert followers(server) == 0
