"""Server-Sent Events: what all streams of them have in common."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from flask import Response, current_app, request

from app.composition import services
from app.http.requests.client import departure
from trainyard.errors import TrainyardError

logger = logging.getLogger(__name__)
RETRY_MS = 2000
"""How long a browser waits before it connects again."""
BEGIN = f"retry: {RETRY_MS}\n\n"
LAST_EVENT_ID = {
    "in": "header",
    "name": "Last-Event-ID",
    "schema": {"type": "string"},
    "description": "only events later than this one are sent",
}
SSE = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
Entry: TypeAlias = tuple[str, dict[str, Any] | None]
"""An id, and its event; without one, a browser only learns from where to go on."""


def event_stream(whose: str, entries: Iterator[Entry | None]) -> Response:
    """The stream; None among its entries is a sign of life. Raises TooManyStreams."""
    slots = services().stream_slots
    slot = slots.take(departure(request))
    lines = _lines(whose, entries, current_app.json.dumps)
    response = Response(lines, mimetype=SSE, headers=HEADERS)
    response.call_on_close(lambda: slots.give_back(slot))
    return response


def _lines(
    whose: str, entries: Iterator[Entry | None], dumps: Callable[[dict[str, Any]], str]
) -> Iterator[str]:
    """The text of the stream. An error ends it: its beginning is sent, so the client must come again.

    It is written after the request's own context has gone, hence `dumps`.
    """
    yield BEGIN
    try:
        for entry in entries:
            yield _block(*entry, dumps) if entry else ": still here\n\n"
    except TrainyardError as error:
        logger.warning("the stream of %s ends: %s", whose, error.message)
        yield ": ends early, connect again\n\n"


def _block(event_id: str, event: dict[str, Any] | None, dumps: Callable[[dict[str, Any]], str]) -> str:
    if event is None:
        return f"id: {event_id}\n\n"
    return f"id: {event_id}\nevent: {event.get('event', 'message')}\ndata: {dumps(event)}\n\n"
