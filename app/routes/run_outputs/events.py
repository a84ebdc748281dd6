"""/runs/{id}/events: Server-Sent Events"""

from itertools import chain
from typing import Any

from flask import Response, current_app
from flask.views import MethodView
from marshmallow import Schema, fields

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.http.streams.feed_forms import ServerSentEvents
from app.http.streams.followers import RunFollower
from app.http.streams.framing import Framing
from app.http.streams.handed_over import HandedOver, Line
from app.routes.run_outputs.event_stream import BEGIN, HEADERS, LAST_EVENT_ID, SSE, chosen, last_event_id
from app.schemas.run_outputs.event_feed import kinds_argument
from app.schemas.runs.runs import PREFIX
from app.service.run_outputs.events import checked_event_id, checked_place, is_end
from app.service.run_outputs.log_lines import LOG, LogLines

blueprint = Blueprint("run-events", __name__, url_prefix=PREFIX, description="A run, live.")


class EventsQuery(Schema):
    """Where to go on, and what is wanted."""

    kinds = kinds_argument()
    last_event_id = fields.String(metadata={"description": "as the header, which goes before"})


@blueprint.route("/<run_id>/events")
class Events(MethodView):
    @blueprint.doc(parameters=[LAST_EVENT_ID])
    @blueprint.arguments(EventsQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type=SSE)
    @blueprint.alt_response(204, description="the run has ended and there is nothing later")
    def get(self, query: dict[str, Any], run_id: str) -> Response:
        """Follow the run until it ends: events so far, then those to come.

        With `log` among `kinds` the lines of its log come, too, from the first one on.
        """
        kinds, sent = chosen(query.get("kinds")), last_event_id(query)
        if kinds and LOG in kinds:
            after, _, offset = checked_place(sent).partition(":")
            lines = services().run_events.log_lines(run_id, int(offset))
        else:
            after, lines = checked_event_id(sent), None
        return _stream(run_id, after, kinds, lines)


def _stream(run_id: str, after: str, kinds: frozenset[str] | None, lines: LogLines | None) -> Response:
    """What is there already, from the thread of the request; then the client joins those who follow.

    Raises NotFound, StoreUnavailable, TooManyStreams.
    """
    sockets, run_events = services().feed_sockets, services().run_events
    sockets.begin()
    seen = sockets.newest
    has_ended = run_events.has_ended(run_id)
    so_far = run_events.so_far(run_id, after, lines)
    if has_ended:
        first = next(((entry) for entry in so_far if not kinds or entry[1]["event"] in kinds), None)
        if first is None:
            return Response(status=204)  # tells a browser not to connect again
        so_far = chain([first], so_far)
    form = ServerSentEvents(current_app.json.dumps)

    def go_on(line: Line, framing: Framing) -> None:
        line.sendall(framing.piece(BEGIN))
        last, knows_end = after, False
        for place, event in so_far:
            last, knows_end = place.partition(":")[0], is_end(event) or (knows_end and event["event"] == LOG)
            if not kinds or event["event"] in kinds:
                line.sendall(framing.piece(form.entry(place, event)))
        follower = RunFollower(
            line.give_away(),
            form,
            framing,
            seen,
            run_id=run_id,
            last=last,
            kinds=kinds,
            lines=lines,
            knows_end=knows_end,
        )
        sockets.join(follower)

    return HandedOver(go_on, has_end=True, mimetype=SSE, headers=HEADERS)
