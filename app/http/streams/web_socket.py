"""How a client's request becomes a WebSocket."""

from typing import Any

from flask import Request
from werkzeug.exceptions import HTTPException
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection
from wsproto.events import Request as Opening
from wsproto.utilities import RemoteProtocolError

from app.http.streams.feed_forms import Dumps, Messages
from app.http.streams.handed_over import SOCKET, Line


class UpgradeRequired(HTTPException):
    """This address speaks WebSocket alone."""

    code = 426
    description = "This address speaks WebSocket: send an upgrade, or use GET /events."

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """With what to upgrade to."""
        return [*super().get_headers(*args, **kwargs), ("Upgrade", "websocket"), ("Connection", "Upgrade")]


class WebSocket:
    """One client."""

    def __init__(self, request: Request) -> None:
        """Take the upgrade; raises UpgradeRequired where none is asked for, or none is understood."""
        if SOCKET not in request.environ or request.headers.get("Upgrade", "").lower() != "websocket":
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

    def accept(self, line: Line, dumps: Dumps) -> Messages:
        """Accept the client on its line; how it is spoken to from then on."""
        line.sendall(self._protocol.send(AcceptConnection()))
        return Messages(dumps, self._protocol)
