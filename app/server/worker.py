"""gunicorn's worker of threads, in which slow and idle clients hold no thread."""

import errno
import socket
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import islice
from selectors import EVENT_READ
from types import SimpleNamespace
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker
from werkzeug.exceptions import RequestTimeout

from app.http.requests.unparsed import answer, client_error
from app.server.paced_socket import PacedSocket
from app.server.waits import Waits

REQUEST_S = 10.0
"""How long a client has for the head of a request, and its body where it is small."""
LINGER_S = 2.0
"""How long a client has to take its last answer and to leave, until its connection is cut."""
ACCEPTED_AT_ONCE = 64
"""Clients that are taken in by one look: each look may wait for threads that work."""
FIRST_S = 2.0
"""How long a client may take to send something, while others wait for its place."""
LIVENESS, FIGURES = "liveness", "figures"
PROBES = {"/ping": LIVENESS, "/healthz": LIVENESS, "/readyz": FIGURES, "/metrics": FIGURES}
"""What is answered by threads of its own, before all else that is asked for. Those that look at Redis and
storage, which may hang, are not those that say that the process lives."""
PROBE_THREADS = 2


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Collects requests in the loop that waits for all clients; a thread takes over what is whole.

    Threads go on beside each other while one waits for storage, which an event loop would not. Nothing in
    the loop waits for one client.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._leaving: deque[TConn] = deque()
        self._waits = Waits()

    def init_process(self) -> None:
        """Begin to serve; the threads of probes are made here, in the process that has them."""
        self._probes = {kind: ThreadPoolExecutor(PROBE_THREADS) for kind in set(PROBES.values())}
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take new clients in."""
        for _ in range(min(ACCEPTED_AT_ONCE, self.worker_connections - self.nr_conns)):
            try:
                client, address = listener.accept()
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                    raise
                return
            self.nr_conns += 1
            self._await_request(
                TConn(self.cfg, PacedSocket(client, self._waits), address, listener.getsockname())
            )

    def enqueue_req(self, conn: TConn) -> None:
        """Give a whole request to a thread."""
        sock = conn.sock
        kind = PROBES.get(sock.path.removeprefix(self.app.path_prefix)) if sock.is_plain_read else None
        if kind:
            future = self._probes[kind].submit(self.handle, conn)
        else:
            future = self.tpool.submit(self._handle_in_turn, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def on_client_socket_readable(self, conn: TConn, client: PacedSocket) -> None:
        """A client that was kept begins its next request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_request(conn)

    def on_pending_socket_readable(self, conn: TConn, client: PacedSocket) -> None:
        """More of a request has come."""
        if client.collect():
            self._take_over(conn)

    def _take_over(self, conn: TConn) -> None:
        conn.data_ready = True
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        self.enqueue_req(conn)

    def finish_request(self, conn: TConn, future: Future[Any]) -> None:
        """Keep the client for its next request, or let it go: gunicorn would wait here until it has left."""
        if not future.cancelled() and future.exception() is None and future.result():
            super().finish_request(conn, future)
        elif conn.sock.half_close():
            conn.timeout = time.monotonic() + LINGER_S
            self._leaving.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self._on_leaving_socket_readable, conn))
        else:
            self._close(conn)

    def _handle_in_turn(self, conn: TConn) -> Any:
        with self._waits.at_work():
            return self.handle(conn)

    def murder_pending(self) -> None:
        """Close what took too long, or has a place that others want; at the end, all that is not whole."""
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        now = time.monotonic()
        while self._leaving and self._leaving[0].timeout <= now:
            self._end(self._leaving.popleft())
        while self.pending_conns and (not self.alive or self.pending_conns[0].timeout <= now):
            conn = self.pending_conns[0]
            if self.alive and conn.sock.collect():  # it came in time, and this loop was late
                self._take_over(conn)
                continue
            self.pending_conns.popleft()
            if conn.sock.has_begun:
                late = RequestTimeout("The request did not come in time.")
                conn.sock.send_last(self._answer(conn.sock, conn.client, late))
            self._end(conn)

    def handle_error(self, req: Any, client: PacedSocket, address: Any, error: Exception) -> None:
        """Answer a request that was not understood, or that the server failed at."""
        refusal = client_error(error)
        if refusal:
            self.log.warning("Request of %s not read: %s", address[0], error)
        client.send_last(self._answer(client, address, refusal or error))

    def _answer(self, client: PacedSocket, address: Any, error: Exception) -> bytes:
        """The answer's bytes, after a line in the access log."""
        response, sent = answer(self.wsgi, client.path, error)
        environ = {
            "REMOTE_ADDR": address[0],
            "REQUEST_METHOD": "-",
            "RAW_URI": client.path,
            "SERVER_PROTOCOL": "-",
        }
        shown = SimpleNamespace(
            status=response.status, sent=len(response.get_data()), headers=response.headers
        )
        self.log.access(shown, SimpleNamespace(headers=[]), environ, timedelta())
        return sent

    def _make_room(self) -> None:
        """Let clients go that ask for nothing, oldest first."""
        for conn in list(islice(self.keepalived_conns, ACCEPTED_AT_ONCE)):
            self.keepalived_conns.remove(conn)
            self._end(conn)
        silent_since = time.monotonic() + REQUEST_S - FIRST_S
        silent = (conn for conn in self.pending_conns if not conn.sock.has_begun)
        for conn in list(islice(silent, ACCEPTED_AT_ONCE)):
            if conn.timeout > silent_since:
                break
            self.pending_conns.remove(conn)
            self._end(conn)

    def _await_request(self, conn: TConn) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + REQUEST_S
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _on_leaving_socket_readable(self, conn: TConn, client: PacedSocket) -> None:
        if client.drop():
            self._leaving.remove(conn)
            self._end(conn)

    def _end(self, conn: TConn) -> None:
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()
