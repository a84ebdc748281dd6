"""A stream of messages over a WebSocket, from the thread that answers the request.

The client's own messages are read and left alone; its pings and its good-bye are answered.
"""

import os
import select
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import HTTPException
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, TextMessage
from wsproto.events import Request as Opening
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError

from app.http.streams.feed_forms import Dumps, Messages

STALL_S = 20.0
"""How long a client may take nothing that is sent to it."""
PIECE = 64 * 1024
_SOCKET = "gunicorn.socket"


class UpgradeRequired(HTTPException):
    """This address speaks WebSocket alone."""

    code = 426
    description = "This address speaks WebSocket: send an upgrade, or use GET /events."

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """With what to upgrade to."""
        return [*super().get_headers(*args, **kwargs), ("Upgrade", "websocket"), ("Connection", "Upgrade")]


class WebSocket:
    """One client. The connection is its own: the server's socket is left as it was."""

    def __init__(self, request: Request) -> None:
        """Take the upgrade; raises UpgradeRequired where none is asked for, or none is understood."""
        sock = request.environ.get(_SOCKET)
        if sock is None or request.headers.get("Upgrade", "").lower() != "websocket":
            raise UpgradeRequired
        self._protocol = WSConnection(ConnectionType.SERVER)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        try:
            self._protocol.initiate_upgrade_connection(headers, request.full_path)
        except RemoteProtocolError as error:
            raise UpgradeRequired from error
        opening = next(self._protocol.events())
        if not isinstance(opening, Opening):
            raise UpgradeRequired
        self._socket = socket.socket(fileno=os.dup(sock.fileno()))
        self._socket.settimeout(STALL_S)
        self._is_closed = False

    def is_gone(self) -> bool:
        """Whether the client has left; asked again and again, since it answers what the client sends."""
        while not self._is_closed and select.select([self._socket], [], [], 0)[0]:
            try:
                data = self._socket.recv(PIECE)
                self._protocol.receive_data(data or None)
                self._answer()
            except (OSError, RemoteProtocolError):
                self._is_closed = True
        return self._is_closed

    def hand_over(self, sock: Any, dumps: Dumps) -> Messages:
        """Accept the client on the server's socket, and leave it to whoever goes on with it."""
        self.abandon()
        sock.sendall(self._protocol.send(AcceptConnection()))
        return Messages(dumps, self._protocol)

    def send_all(self, texts: Iterable[str]) -> None:
        """Send each text as a message, then say good-bye; returns early where the client has left."""
        try:
            self._socket.sendall(self._protocol.send(AcceptConnection()))
            for text in texts:
                if self._is_closed:
                    return
                self._socket.sendall(self._protocol.send(TextMessage(data=text)))
            if not self._is_closed:
                self._socket.sendall(self._protocol.send(CloseConnection(code=CloseReason.GOING_AWAY)))
        except OSError:  # it takes nothing any more, and may come again
            return
        finally:
            self.close()

    def abandon(self) -> None:
        """Leave the connection to the server, which answers that there is no stream."""
        self._is_closed = True
        self._socket.close()

    def close(self) -> None:
        """Give the connection up."""
        self._is_closed = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _answer(self) -> None:
        for event in self._protocol.events():
            if isinstance(event, Ping | CloseConnection):
                with suppress(OSError):
                    self._socket.sendall(self._protocol.send(event.response()))
            if isinstance(event, CloseConnection):
                self._is_closed = True


class WebSocketResponse(Response):
    """What a view answers with: the stream is sent when the server wants to send the answer."""

    def __init__(self, web_socket: WebSocket, texts: Iterator[str]) -> None:
        super().__init__(status=101)
        self._web_socket = web_socket
        self._texts = texts

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Send, and tell gunicorn that the connection is used up."""
        try:
            self._web_socket.send_all(self._texts)
        finally:
            self.close()
        raise StopIteration
