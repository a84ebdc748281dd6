"""A client's socket that waits for nobody for ever."""

import errno
import socket
import time
from typing import IO, Any

from gunicorn.http.errors import LimitRequestHeaders

from app.server.request_head import HEAD_BYTES, is_enough, is_overlong, is_plain_read, path_of
from app.server.waits import Waits
from trainyard.errors import TooManyUploads

STALL_S = 20.0
"""How long a client may send nothing that is awaited, or take nothing that is sent to it."""
BODY_S = 20.0
BODY_BYTES_PER_S = 1024
"""A body must come within BODY_S, and more time for each so many bytes that have come."""
_PIECE = 64 * 1024


class PacedSocket:
    """Wraps a connected socket; whatever is not defined here is the socket's own.

    A client that is too slow is a TimeoutError with the number of a reset connection, which gunicorn takes
    for one that has left.
    """

    def __init__(self, sock: socket.socket, waits: Waits) -> None:
        self._sock = sock
        self.waits = waits
        self._early = bytearray()
        self._path = "/"
        self._is_overlong = False
        self._is_given_away = False
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
        self._path = path_of(self._early)
        self._is_overlong = is_overlong(self._early)
        return not data or is_enough(bytes(self._early.lstrip(b"\r\n")))

    @property
    def has_begun(self) -> bool:
        """Whether some of a request has come that is not served yet."""
        return bool(self._early)

    @property
    def path(self) -> str:
        """That of the newest request that was collected, as it was sent; "/" where it is not known."""
        return self._path

    @property
    def is_plain_read(self) -> bool:
        """Whether what has come, and is not served yet, is a whole request to read something."""
        return is_plain_read(self._early)

    def send_last(self, answer: bytes) -> None:
        """Send what the kernel takes at once of a last answer. Never waits."""
        self._sock.setblocking(False)
        try:
            self._sock.send(answer)
        except OSError:
            return

    def give_away(self) -> socket.socket:
        """The connection, for whoever goes on with it: here it is closed without a word."""
        self._is_given_away = True
        return self._sock.dup()

    def half_close(self) -> bool:
        """Say that nothing more will be sent; False where the client has gone, or is another's."""
        if self._is_given_away:
            return False
        self._sock.setblocking(False)
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def drop(self) -> bool:
        """Throw away what has come; whether the client has left. Never waits."""
        try:
            return not self._sock.recv(_PIECE)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def recv(self, size: int) -> bytes:
        """As a socket's; what was collected comes first.

        Raises TimeoutError where the client is too slow, TooManyUploads where others are already that are
        waited for, and LimitRequestHeaders for a head that was too long when a thread was given to it.
        """
        if self._is_overlong:
            raise LimitRequestHeaders(f"The head is longer than {HEAD_BYTES} bytes")
        if self._early:
            data = bytes(self._early[:size])
            del self._early[:size]
            self._start_body()
            return data
        self._sock.setblocking(False)
        try:
            data = self._sock.recv(size)
        except BlockingIOError:
            with self.waits.to_receive(TooManyUploads):
                data = self._await(size)
        self._body_bytes += len(data)
        return data

    def sendall(self, data: bytes) -> None:
        """As a socket's; raises TimeoutError where the client, or one too many, takes nothing for STALL_S."""
        view = memoryview(data)
        self._sock.setblocking(False)
        while view:
            try:
                sent = self._sock.send(view[:_PIECE])
            except BlockingIOError:
                with self.waits.to_send(_too_slow):
                    sent = self._send_waiting(view[:_PIECE])
                self._sock.setblocking(False)
            view = view[sent:]

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """As a socket's; raises TimeoutError where the client, or one too many, takes nothing for STALL_S."""
        with self.waits.to_send(_too_slow):
            self._sock.settimeout(STALL_S)
            try:
                return self._sock.sendfile(file, offset, count)
            except TimeoutError as error:
                raise _too_slow() from error

    def _await(self, size: int) -> bytes:
        left = BODY_S + self._body_bytes / BODY_BYTES_PER_S - self._waited_s
        if left <= 0:
            raise _too_slow()
        began = time.monotonic()
        self._sock.settimeout(min(STALL_S, left))
        try:
            return self._sock.recv(size)
        except TimeoutError as error:
            raise _too_slow() from error
        finally:
            self._waited_s += time.monotonic() - began

    def _send_waiting(self, data: memoryview) -> int:
        self._sock.settimeout(STALL_S)
        try:
            return self._sock.send(data)
        except TimeoutError as error:
            raise _too_slow() from error

    def _start_body(self) -> None:
        self._body_bytes = 0
        self._waited_s = 0.0


def _too_slow() -> TimeoutError:
    return TimeoutError(errno.ECONNRESET, "the client is too slow")
