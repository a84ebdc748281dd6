"""/events and /ws: many runs, live"""

from collections.abc import Callable
from itertools import chain
from typing import Any

import flask
from flask import Response, current_app, request
from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.http.streams.feed_forms import Form, ServerSentEvents
from app.http.streams.followers import FeedFollower
from app.http.streams.framing import Framing
from app.http.streams.handed_over import HandedOver, Line
from app.http.streams.web_socket import WebSocket
from app.routes.run_outputs.event_stream import BEGIN, HEADERS, LAST_EVENT_ID, SSE, chosen, last_event_id
from app.schemas.run_outputs.event_feed import EventFeedQuery
from app.service.run_outputs.event_feed import FeedQuery
from app.service.run_outputs.events import checked_event_id

blueprint = Blueprint("event-feed", __name__, url_prefix="/api/v1", description="Many runs, live.")


@blueprint.route("/events")
class EventFeed(MethodView):
    @blueprint.doc(parameters=[LAST_EVENT_ID])
    @blueprint.arguments(EventFeedQuery, location="query")
    @blueprint.alt_response(404, schema="Error", description="none of `runs` is here")
    @blueprint.response(200, {"type": "string"}, content_type=SSE)
    def get(self, query: dict[str, Any]) -> Response:
        """Follow many runs in one stream, from now on or from where a client left; it does not end by itself.

        Each event has `run_id` and `project`. The event `gap` says that events since `Last-Event-ID` are no
        longer kept.
        """
        form = ServerSentEvents(current_app.json.dumps)

        def greet(line: Line) -> Form:
            line.sendall(BEGIN)
            return form

        return _handed_over(query, greet, mimetype=SSE, headers=HEADERS)


@blueprint.route("/ws")
class EventSocket(MethodView):
    @blueprint.doc(parameters=[LAST_EVENT_ID])
    @blueprint.arguments(EventFeedQuery, location="query")
    @blueprint.alt_response(426, schema="Error", description="the request is no upgrade to WebSocket")
    @blueprint.response(101, description="messages of text: JSON as in GET /events, with its `id`")
    def get(self, query: dict[str, Any]) -> Response:
        """Follow many runs over a WebSocket: the events of GET /events, each a message with its `id`.

        The message `place`, which comes every ten seconds of silence, says only how far the stream was read.
        """
        web_socket = WebSocket(request)
        dumps = current_app.json.dumps
        return _handed_over(query, lambda line: web_socket.accept(line, dumps), status=101)


sockets = flask.Blueprint("event-sockets", __name__, url_prefix="/api/v1")
"""The same address for requests that are an upgrade: to werkzeug that is another rule."""
sockets.add_url_rule("/ws", view_func=EventSocket.as_view("ws"), websocket=True)


def _handed_over(query: dict[str, Any], greet: Callable[[Line], Form], **options: Any) -> Response:
    """A stream of its client's own: told what is there already, it joins the others.

    Raises NotFound, StoreUnavailable, TooManyStreams.
    """
    sockets, feed = services().feed_sockets, services().event_feed
    sockets.begin()
    sent = last_event_id(query)
    after = checked_event_id(sent) if sent else None
    wanted = FeedQuery(
        run_ids=chosen(query.get("runs")), project=query.get("project"), kinds=chosen(query.get("kinds"))
    )
    feed.require_runs(wanted)
    logs = feed.logs(wanted)
    begin = feed.begin(after) if after else [(sockets.newest, None)]

    def go_on(line: Line, framing: Framing) -> None:
        form, last = greet(line), begin[-1][0]
        for event_id, event in chain(begin, feed.kept(wanted, last) if after else ()):
            line.sendall(form.entry(event_id, event))
            last = event_id
        follower = FeedFollower(line.give_away(), form, framing, last, wanted)
        for lines, about in logs:
            follower.follow_log(lines, about)
        sockets.join(follower)

    return HandedOver(go_on, **options)
