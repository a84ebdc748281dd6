"""Server-Sent Events of a run, followed to its end over broken lines."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from trainyard_client.errors import (
    GatewayTrouble,
    ServerBusy,
    StreamEnded,
    TooManyRequests,
    TrainyardError,
)
from trainyard_client.transport import Transport, pause_before, unreachable

QUIET_S = 30.0
"""Silence after which a stream counts as broken: the server says that it lives every ten seconds."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event: its id, by which a later call goes on after it, its name, and all that it says."""

    id: str
    name: str
    data: Mapping[str, Any]


def follow(
    transport: Transport,
    path: str,
    after: str | None = None,
    patience_s: float = 60.0,
) -> Iterator[Event]:
    """Each event later than `after` once, in order, until the run has ended.

    A broken line is made anew, and goes on after the last event. Raises ServerUnreachable or the server's
    own error after `patience_s` without a connection, StreamEnded where it is closed time after time without
    anything new, and other TrainyardErrors at once.
    """
    last, tried, alone_since = after, 0, None
    while True:
        failure: TrainyardError
        try:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            with transport.stream(path, headers, QUIET_S) as response:
                if response.status_code == httpx.codes.NO_CONTENT:
                    return
                alone_since = None
                for event in parsed(response.iter_lines()):
                    last, tried = event.id or last, 0
                    yield event
            failure = StreamEnded("The server closed the stream.")
        except httpx.TransportError as error:
            failure = unreachable(transport.url, error)
        except (ServerBusy, TooManyRequests, GatewayTrouble) as error:
            failure = error
        tried += 1
        alone_since = time.monotonic() if alone_since is None else alone_since
        if time.monotonic() - alone_since > patience_s or (
            isinstance(failure, StreamEnded) and tried > _CLOSED
        ):
            raise failure
        transport.pause(max(pause_before(tried), failure.retry_after_s))


_CLOSED = 30
"""How often a stream may be closed in a row without an event; that of an ended run ends with 204 instead."""


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a stream's lines, after the HTML standard, section 9.2.6."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            if "data" in fields:
                yield _event(fields)
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value


def _event(fields: Mapping[str, str]) -> Event:
    data = json.loads(fields["data"])
    return Event(id=fields.get("id", ""), name=fields.get("event", "message"), data=data)
