"""What streams look like on the wire: Server-Sent Events, messages of a WebSocket, or the text of a log."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from wsproto import WSConnection
from wsproto.events import CloseConnection, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError

PLACE = {"event": "place"}
Dumps: TypeAlias = Callable[[dict[str, Any]], str]


class Form(Protocol):
    """How one client is spoken to. What `entry` makes is the same for all clients of that name."""

    name: str

    def entry(self, event_id: str, event: dict[str, Any] | None) -> bytes:
        """An event; where that is None, how far the stream has been read."""

    @property
    def sign_of_life(self) -> bytes:
        """What is sent in silence where nobody needs to know how far the stream has been read."""

    @property
    def farewell(self) -> bytes:
        """What is sent last to a client who is to come again."""

    def received(self, data: bytes) -> bytes | None:
        """What to answer to what a client has sent; None where it has left, of which b"" tells."""


class LogText:
    """A log as it is written: nothing is said beside it."""

    name = "log"
    sign_of_life = b""
    farewell = b""

    def entry(self, event_id: str, event: dict[str, Any] | None) -> bytes:
        """Nothing: its followers hear of no events."""
        return b""

    def received(self, data: bytes) -> bytes | None:
        """Nothing: a client of these has nothing to say."""
        return b"" if data else None


class ServerSentEvents:
    """As browsers read them, with the id from which to go on."""

    name = "sse"
    sign_of_life = b": still here\n\n"
    farewell = b": ends early, connect again\n\n"

    def __init__(self, dumps: Dumps) -> None:
        self._dumps = dumps

    def entry(self, event_id: str, event: dict[str, Any] | None) -> bytes:
        """A block of text."""
        if event is None:
            return f"id: {event_id}\n\n".encode()
        kind = event.get("event", "message")
        return f"id: {event_id}\nevent: {kind}\ndata: {self._dumps(event)}\n\n".encode()

    def received(self, data: bytes) -> bytes | None:
        """Nothing: a client of these has nothing to say."""
        return b"" if data else None


class Messages:
    """Of a WebSocket: each event one message with its `id`."""

    name = "ws"

    def __init__(self, dumps: Dumps, protocol: WSConnection) -> None:
        """`protocol` has accepted its client."""
        self._dumps = dumps
        self._protocol = protocol

    def entry(self, event_id: str, event: dict[str, Any] | None) -> bytes:
        """A message; a server's have no mask, so that they are the same for all."""
        text = self._dumps({"id": event_id, **(event or PLACE)})
        return self._protocol.send(TextMessage(data=text))

    @property
    def sign_of_life(self) -> bytes:
        """A message that says nothing but that."""
        return self._protocol.send(TextMessage(data=self._dumps(PLACE)))

    @property
    def farewell(self) -> bytes:
        """The server goes away."""
        return self._protocol.send(CloseConnection(code=CloseReason.GOING_AWAY))

    def received(self, data: bytes) -> bytes | None:
        """The answers to pings; what else is said is left alone."""
        answers = b""
        try:
            self._protocol.receive_data(data or None)
            for event in self._protocol.events():
                if isinstance(event, CloseConnection):
                    return None
                if isinstance(event, Ping):
                    answers += self._protocol.send(event.response())
        except RemoteProtocolError:
            return None
        return answers
