"""A client's socket that waits for nobody for ever."""

import errno
import re
import socket
import time
from typing import IO, Any

STALL_S = 20.0
"""How long a client may send nothing that is awaited, or take nothing that is sent to it."""
BODY_S = 20.0
BODY_BYTES_PER_S = 1024
"""A body must come within BODY_S, and more time for each so many bytes that have come."""
HEAD_BYTES = 64 * 1024
EARLY_BODY_BYTES = 64 * 1024
"""So much of a request is collected before a thread is given to it."""
_PIECE = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,6})[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:", re.IGNORECASE)
_TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class PacedSocket:
    """Wraps a connected socket; whatever is not defined here is the socket's own.

    A client that is too slow is a TimeoutError with the number of a reset connection, which gunicorn takes
    for one that has left.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._early = bytearray()
        self._start_body()
        # The kernel gives up what a client does not take, too, though the buffer may have room for more.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STALL_S * 1000))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def collect(self) -> bool:
        """Take in what has come of a request; whether it is enough to work on. Never waits."""
        try:
            data = self._sock.recv(_PIECE)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self._early += data
        return not data or _is_enough(bytes(self._early.lstrip(b"\r\n")))

    def refuse_late(self) -> None:
        """Say to a client that has begun a request that it took too long. Never waits."""
        if self._early:
            try:
                self._sock.send(_TOO_LATE)
            except OSError:
                return

    def recv(self, size: int) -> bytes:
        """As a socket's; what was collected comes first. Raises TimeoutError where the client is too slow."""
        if self._early:
            data = bytes(self._early[:size])
            del self._early[:size]
            self._start_body()
            return data
        left = BODY_S + self._body_bytes / BODY_BYTES_PER_S - self._waited_s
        if left <= 0:
            raise _too_slow()
        began = time.monotonic()
        self._sock.settimeout(min(STALL_S, left))
        try:
            data = self._sock.recv(size)
        except TimeoutError as error:
            raise _too_slow() from error
        finally:
            self._waited_s += time.monotonic() - began
        self._body_bytes += len(data)
        return data

    def sendall(self, data: bytes) -> None:
        """As a socket's; raises TimeoutError where the client takes nothing for STALL_S."""
        view = memoryview(data)
        self._sock.settimeout(STALL_S)
        try:
            while view:
                view = view[self._sock.send(view[:_PIECE]) :]
        except TimeoutError as error:
            raise _too_slow() from error

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """As a socket's; raises TimeoutError where the client takes nothing for STALL_S."""
        self._sock.settimeout(STALL_S)
        try:
            return self._sock.sendfile(file, offset, count)
        except TimeoutError as error:
            raise _too_slow() from error

    def _start_body(self) -> None:
        self._body_bytes = 0
        self._waited_s = 0.0


def _is_enough(request: bytes) -> bool:
    """Whether a thread need not wait for the client: the head is there, and the body if it is a small one.

    What is unusual is left to the parser.
    """
    head, is_whole, body = request.partition(_END_OF_HEAD)
    if not is_whole:
        return len(request) > HEAD_BYTES
    length = _LENGTH.search(head + b"\r\n")
    if not length or _EXPECTS.search(head):
        return True
    return int(length[1]) > EARLY_BODY_BYTES or len(body) >= int(length[1])


def _too_slow() -> TimeoutError:
    return TimeoutError(errno.ECONNRESET, "the client is too slow")
