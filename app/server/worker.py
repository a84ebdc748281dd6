"""gunicorn's worker of threads, in which slow and idle clients hold no thread."""

import errno
import socket
import time
from functools import partial
from selectors import EVENT_READ

from gunicorn.workers.gthread import TConn, ThreadWorker

from app.server.paced_socket import PacedSocket

REQUEST_S = 10.0
"""How long a client has for the head of a request, and its body where it is small."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Collects requests in the loop that waits for all clients; a thread takes over what is whole.

    Threads go on beside each other while one waits for storage, which an event loop would not.
    """

    def accept(self, listener: socket.socket) -> None:
        """Take a new client in."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        self._await_request(TConn(self.cfg, PacedSocket(client), address, listener.getsockname()))

    def on_client_socket_readable(self, conn: TConn, client: PacedSocket) -> None:
        """A client that was kept begins its next request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_request(conn)

    def on_pending_socket_readable(self, conn: TConn, client: PacedSocket) -> None:
        """More of a request has come."""
        if client.collect():
            conn.data_ready = True
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            self.enqueue_req(conn)

    def murder_pending(self) -> None:
        """Close what took too long; at the end, all that is not whole."""
        now = time.monotonic()
        while self.pending_conns and (not self.alive or self.pending_conns[0].timeout <= now):
            conn = self.pending_conns.popleft()
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.sock.refuse_late()
            conn.close()

    def _await_request(self, conn: TConn) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + REQUEST_S
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))
