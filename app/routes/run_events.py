"""/runs/{id}/events: Server-Sent Events"""

from itertools import chain
from typing import Any

from flask import Response, request
from flask.views import MethodView
from marshmallow import Schema, fields

from app.composition import services
from app.http.arguments import Blueprint
from app.http.client import departure
from app.routes.event_stream import LAST_EVENT_ID, event_stream
from app.schemas.runs import PREFIX
from app.service.run_events import checked_event_id

blueprint = Blueprint("run-events", __name__, url_prefix=PREFIX, description="A run, live.")


class EventsQuery(Schema):
    """Where to go on."""

    last_event_id = fields.String(metadata={"description": "as the header, which goes before"})


@blueprint.route("/<run_id>/events")
class Events(MethodView):
    @blueprint.doc(parameters=[LAST_EVENT_ID])
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
        return event_stream(run_id, entries)
