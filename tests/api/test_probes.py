"""Probes are answered whatever else the server has to do."""

import select
import socket
from contextlib import ExitStack

from app.server.serve import IDLE_S, THREADS, options
from app.server.waits import WORKING
from tests.api.server import Server
from tests.waits import scaled
from trainyard.settings import Settings

PAUSE_MS = 60_000
NGINX_KEEPS_S = 60


def asked(server: Server, path: str, method: str = "GET", body: str = "") -> socket.socket:
    """A client that has sent a request and waits for the answer."""
    client = socket.create_connection(("127.0.0.1", server.http.base_url.port), timeout=scaled(60))
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    client.sendall(f"{head}{kind}\r\n{body}".encode())
    return client


def test_signs_of_life_wait_for_nothing_that_others_wait_for(server: Server):
    """Threads that work on requests or look at Redis for a probe hang; so do bodies that probes are sent."""
    with ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(asked(server, "/ping"))
            client.recv(65536)
            client.sendall(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n{")
        server.client.execute_command("CLIENT", "PAUSE", PAUSE_MS, "WRITE")
        stack.callback(server.client.execute_command, "CLIENT", "UNPAUSE")
        limit = ("/api/v1/projects/lab", "PUT", '{"max_concurrent": 2}')
        requests = [limit] * (THREADS + WORKING) + [("/readyz",)] * 4
        waiting = [stack.enter_context(asked(server, *request)) for request in requests]
        for path in ("/healthz", "/ping"):
            assert server.http.get(path).status_code == 200
        answered, _, _ = select.select(waiting, [], [], 0)
        assert not answered, "Redis was still away"


def test_idle_connections_are_kept_longer_than_a_proxy_keeps_its_own():
    assert options(Settings())["keepalive"] == IDLE_S > NGINX_KEEPS_S
