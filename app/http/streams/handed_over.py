"""An answer without a known end, whose connection is handed on: the thread that answers is free again."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

from flask import Response

from app.http.streams.framing import Chunked, Framing, Plain
from trainyard.errors import TrainyardError

logger = logging.getLogger(__name__)
SOCKET = "gunicorn.socket"
HANDED_OVER = "trainyard.handed_over"
"""Where a request's environment has its answer, of which the server itself sees nothing."""
PIECE = 64 * 1024


class Line(Protocol):
    """A connection that may be taken over."""

    def sendall(self, data: bytes) -> None:
        """As a socket's; raises OSError for a client that has left or takes nothing."""

    def give_away(self) -> socket.socket:
        """The connection, for whoever goes on with it."""


GoOn = Callable[[Line, Framing], None]


class HandedOver(Response):
    """Sends its head, and hands the connection to `go_on`, which takes it as its own.

    A server that hands no sockets on, such as a test's, is given what goes over a pair of sockets.
    """

    def __init__(self, go_on: GoOn, has_end: bool = False, **options: Any) -> None:
        """`has_end`: whether a client is to tell the end of the answer from a line that broke."""
        super().__init__(**options)
        self._go_on = go_on
        self._has_end = has_end

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Tells gunicorn at last that the connection is used up; of a HEAD there is nothing to go on with."""
        if environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        if SOCKET not in environ:
            return self._copied(environ, start_response)
        environ[HANDED_OVER] = self
        sock = environ[SOCKET]
        is_chunked = self._has_end and environ["SERVER_PROTOCOL"] != "HTTP/1.0"
        try:
            if self.status_code != 101:  # whose head is the protocol's own
                sock.sendall(self._head(environ, is_chunked))
            self._guarded(sock, Chunked() if is_chunked else Plain())
        finally:
            self.close()
        raise StopIteration

    def _head(self, environ: Any, is_chunked: bool) -> bytes:
        headers = self.get_wsgi_headers(environ)
        headers.remove("Content-Length")  # nobody knows how long it will be
        if is_chunked:
            headers.add("Transfer-Encoding", "chunked")
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")

    def _guarded(self, line: Line, framing: Framing) -> None:
        """The head is sent, so no error can be answered any more: the client must come again."""
        try:
            self._go_on(line, framing)
        except OSError:  # it has left, or takes nothing
            return
        except TrainyardError as error:
            logger.warning("A stream ends as it begins: %s", error.message)

    def _copied(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        ours, theirs = socket.socketpair()
        headers = self.get_wsgi_headers(environ)
        headers.remove("Content-Length")
        start_response(self.status, headers.to_wsgi_list())
        threading.Thread(target=self._begin, args=(_Pair(theirs),), daemon=True).start()
        return _Received(ours, self.close)

    def _begin(self, line: "_Pair") -> None:
        try:
            self._guarded(line, Plain())
        finally:
            line.close()


class _Pair:
    """A socket of a pair."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def sendall(self, data: bytes) -> None:
        self._sock.sendall(data)

    def give_away(self) -> socket.socket:
        return self._sock.dup()

    def close(self) -> None:
        self._sock.close()


class _Received(Iterator[bytes]):
    """What comes over a socket, until its end."""

    def __init__(self, sock: socket.socket, close: Callable[[], None]) -> None:
        self._sock = sock
        self._close = close
        self._has_begun = False

    def __next__(self) -> bytes:
        if not self._has_begun:  # the head need not wait for what comes
            self._has_begun = True
            return b""
        if data := self._sock.recv(PIECE):
            return data
        raise StopIteration

    def close(self) -> None:
        """The client has left."""
        with suppress(OSError):
            self._sock.close()
        self._close()
