"""/runs/{id}/events: Server-Sent Events"""

import logging
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from flask import Response, current_app, request
from flask.views import MethodView
from marshmallow import Schema, fields

from app.composition import services
from app.http.arguments import Blueprint
from app.http.client import departure
from app.schemas.runs import PREFIX
from app.service.run_events import Entry, checked_event_id
from trainyard.errors import TrainyardError

logger = logging.getLogger(__name__)
blueprint = Blueprint("run-events", __name__, url_prefix=PREFIX, description="A run, live.")

RETRY_MS = 2000
"""How long a browser waits before it connects again."""
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_LAST_EVENT_ID = {
    "in": "header",
    "name": "Last-Event-ID",
    "schema": {"type": "string"},
    "description": "only events later than this one are sent",
}


class EventsQuery(Schema):
    """Where to go on."""

    last_event_id = fields.String(metadata={"description": "as the header, which goes before"})


@blueprint.route("/<run_id>/events")
class Events(MethodView):
    @blueprint.doc(parameters=[_LAST_EVENT_ID])
    @blueprint.arguments(EventsQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/event-stream")
    @blueprint.alt_response(204, description="the run has ended and there is nothing later")
    def get(self, query: dict[str, Any], run_id: str) -> Response:
        """Follow the run until it ends: events so far, then those to come."""
        after = checked_event_id(request.headers.get("Last-Event-ID") or query.get("last_event_id"))
        run_events = services().run_events
        entries = run_events.follow(run_id, after, departure(request))
        if run_events.has_ended(run_id):
            first = next(entries, None)
            if first is None:
                return Response(status=204)  # tells a browser not to connect again
            entries = chain([first], entries)
        return _streamed(run_id, entries)


def _streamed(run_id: str, entries: Iterator[Entry | None]) -> Response:
    slots = services().stream_slots
    slot = slots.take(departure(request))
    lines = _lines(run_id, entries, current_app.json.dumps)
    response = Response(lines, mimetype="text/event-stream", headers=_HEADERS)
    response.call_on_close(lambda: slots.give_back(slot))
    return response


def _lines(
    run_id: str, entries: Iterator[Entry | None], dumps: Callable[[dict[str, Any]], str]
) -> Iterator[str]:
    """The text of the stream. An error ends it: its beginning is sent, so the client must come again.

    It is written after the request's own context has gone, hence `dumps`.
    """
    yield f"retry: {RETRY_MS}\n\n"
    try:
        for entry in entries:
            yield _block(entry[0], entry[1], dumps(entry[1])) if entry else ": still here\n\n"
    except TrainyardError as error:
        logger.warning("the stream of %s ends: %s", run_id, error.message)
        yield ": ends early, connect again\n\n"


def _block(event_id: str, event: dict[str, Any], text: str) -> str:
    return f"id: {event_id}\nevent: {event.get('event', 'message')}\ndata: {text}\n\n"
