"""Slow clients: some send half of a request, some read nothing of an answer, and more come every second."""

import socket
import threading
import time
from contextlib import ExitStack, suppress

import httpx

from tests.waits import scaled

EACH = 6
"""Clients of each sort that come in a second."""
PAUSE_S = 1.0
ANSWER_S = 20.0
"""How long, on an idle machine, whoever asks for /healthz waits; a server that starts takes some of it."""
_POST = "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALVES = (
    "",
    "GET /healthz HTTP/1.1\r\nHo",
    f"{_POST}Content-Length: 500000\r\n\r\n{{",
    "POST /api/v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n"
    "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n",
)
"""What they send before they fall silent."""


class Crowd(threading.Thread):
    """Comes for so many seconds, then leaves at once; `trouble` tells of others who were not answered."""

    def __init__(self, port: int, run_id: str, seconds: float) -> None:
        super().__init__(daemon=True)
        self.trouble: list[str] = []
        self._port = port
        self._sent = [*HALVES, f"GET /api/v1/runs/{run_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"]
        self._seconds = seconds

    def run(self) -> None:
        """The thread's work."""
        leave_at = time.monotonic() + self._seconds
        with ExitStack() as clients:
            while time.monotonic() < leave_at:
                for sent in self._sent * EACH:
                    with suppress(OSError):  # of a server that was killed
                        clients.enter_context(self._client(sent))
                self._ask()
                time.sleep(PAUSE_S)

    def _client(self, sent: str) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self._port), timeout=scaled(5))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            client.sendall(sent.encode())
        except OSError:
            client.close()
            raise
        return client

    def _ask(self) -> None:
        try:
            httpx.get(f"http://127.0.0.1:{self._port}/healthz", timeout=scaled(ANSWER_S))
        except httpx.TimeoutException:
            self.trouble.append(f"/healthz had no answer for {ANSWER_S:.0f} s beside slow clients")
        except httpx.TransportError:
            pass  # of a server that was killed
