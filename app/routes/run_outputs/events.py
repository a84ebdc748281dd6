"""/runs/{id}/events: Server-Sent Events"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Response, request
from flask.views import MethodView
from marshmallow import Schema, fields

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.http.requests.client import departure
from app.routes.run_outputs.event_stream import LAST_EVENT_ID, event_stream
from app.schemas.run_outputs.event_feed import kinds_argument
from app.schemas.runs.runs import PREFIX
from app.service.run_outputs.events import checked_event_id, checked_place
from app.service.run_outputs.log_lines import LOG

blueprint = Blueprint("run-events", __name__, url_prefix=PREFIX, description="A run, live.")


class EventsQuery(Schema):
    """Where to go on, and what is wanted."""

    kinds = kinds_argument()
    last_event_id = fields.String(metadata={"description": "as the header, which goes before"})


@blueprint.route("/<run_id>/events")
class Events(MethodView):
    @blueprint.doc(parameters=[LAST_EVENT_ID])
    @blueprint.arguments(EventsQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/event-stream")
    @blueprint.alt_response(204, description="the run has ended and there is nothing later")
    def get(self, query: dict[str, Any], run_id: str) -> Response:
        """Follow the run until it ends: events so far, then those to come.

        With `log` among `kinds` the lines of its log come, too, from the first one on.
        """
        sent = request.headers.get("Last-Event-ID") or query.get("last_event_id")
        run_events, kinds = services().run_events, query.get("kinds")
        if kinds and LOG in kinds:
            followed = run_events.follow_with_log(run_id, checked_place(sent), departure(request))
        else:
            followed = run_events.follow(run_id, checked_event_id(sent), departure(request))
        entries: Iterator[Any] = (
            one for one in followed if not kinds or one is None or one[1]["event"] in kinds
        )
        if run_events.has_ended(run_id):
            first = next(entries, None)
            if first is None:
                return Response(status=204)  # tells a browser not to connect again
            entries = chain([first], entries)
        return event_stream(run_id, entries)
