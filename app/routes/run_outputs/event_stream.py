"""Server-Sent Events: what all streams of them have in common."""

from flask import request

RETRY_MS = 2000
"""How long a browser waits before it connects again."""
BEGIN = f"retry: {RETRY_MS}\n\n".encode()
LAST_EVENT_ID = {
    "in": "header",
    "name": "Last-Event-ID",
    "schema": {"type": "string"},
    "description": "only events later than this one are sent",
}
SSE = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def last_event_id(query: dict[str, str]) -> str | None:
    """The id that a client had last: of the header, or of the query."""
    return request.headers.get("Last-Event-ID") or query.get("last_event_id")


def chosen(values: list[str] | None) -> frozenset[str] | None:
    """What a list of a query names; None where it names nothing and all is wanted."""
    return None if values is None else frozenset(values)
