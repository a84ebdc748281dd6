"""/events and /ws: many runs, live"""

import logging
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import flask
from flask import Response, current_app, request
from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.http.requests.client import departure
from app.http.streams.feed_forms import PLACE, Form, ServerSentEvents
from app.http.streams.feed_sockets import Follower
from app.http.streams.handed_over import SOCKET, HandedOver
from app.http.streams.web_socket import WebSocket, WebSocketResponse
from app.routes.run_outputs.event_stream import BEGIN, HEADERS, LAST_EVENT_ID, SSE, event_stream
from app.schemas.run_outputs.event_feed import EventFeedQuery
from app.service.requests.slots import IsGone
from app.service.run_outputs.event_feed import Entry, FeedQuery
from app.service.run_outputs.events import checked_event_id
from app.service.run_outputs.log_lines import LOG
from trainyard.errors import TrainyardError

logger = logging.getLogger(__name__)

blueprint = Blueprint("event-feed", __name__, url_prefix="/api/v1", description="Many runs, live.")


@blueprint.route("/events")
class EventFeed(MethodView):
    @blueprint.doc(parameters=[LAST_EVENT_ID])
    @blueprint.arguments(EventFeedQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/event-stream")
    def get(self, query: dict[str, Any]) -> Response:
        """Follow many runs in one stream, from now on or from where a client left; it does not end by itself.

        Each event has `run_id` and `project`. The event `gap` says that events since `Last-Event-ID` are no
        longer kept.
        """
        if _holds_thread(query):
            return event_stream("many runs", _followed(query, departure(request)))
        form = ServerSentEvents(current_app.json.dumps)
        answer = _handed_over(query, lambda sock: (sock.sendall(BEGIN.encode()), form)[1], mimetype=SSE)
        answer.headers.extend(HEADERS)
        return answer


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
        if not _holds_thread(query):
            dumps = current_app.json.dumps
            try:
                return _handed_over(query, lambda sock: web_socket.hand_over(sock, dumps), status=101)
            except TrainyardError:
                web_socket.abandon()
                raise
        slots = services().stream_slots
        try:
            slot = slots.take(web_socket.is_gone)
            entries = _followed(query, web_socket.is_gone)
        except TrainyardError:
            web_socket.abandon()
            raise
        response = WebSocketResponse(web_socket, _messages(entries, current_app.json.dumps))
        response.call_on_close(lambda: slots.give_back(slot))
        return response


sockets = flask.Blueprint("event-sockets", __name__, url_prefix="/api/v1")
"""The same address for requests that are an upgrade: to werkzeug that is another rule."""
sockets.add_url_rule("/ws", view_func=EventSocket.as_view("ws"), websocket=True)


def _holds_thread(query: dict[str, Any]) -> bool:
    """Whether a stream reads files besides, or is served by a server that hands no sockets on."""
    return LOG in query.get("kinds", ()) or SOCKET not in request.environ


def _handed_over(query: dict[str, Any], greet: Callable[[Any], Form], **options: Any) -> Response:
    """A stream of its client's own: told what is there already, it joins the others.

    Raises StoreUnavailable, TooManyStreams.
    """
    sockets, feed = services().feed_sockets, services().event_feed
    sockets.begin()
    wanted, after = _wanted(query)
    begin = feed.begin(after) if after else [(sockets.newest, None)]

    def go_on(sock: Any) -> None:
        form, last = greet(sock), begin[-1][0]
        for event_id, event in chain(begin, feed.kept(wanted, last) if after else ()):
            sock.sendall(form.entry(event_id, event))
            last = event_id
        sockets.join(Follower(sock=sock.give_away(), query=wanted, form=form, last=last))

    return HandedOver(go_on, **options)


def _wanted(query: dict[str, Any]) -> tuple[FeedQuery, str | None]:
    """What is asked for, and from where on."""
    sent = request.headers.get("Last-Event-ID") or query.get("last_event_id")
    wanted = FeedQuery(
        run_ids=_set(query.get("runs")), project=query.get("project"), kinds=_set(query.get("kinds"))
    )
    return wanted, checked_event_id(sent) if sent else None


def _followed(query: dict[str, Any], is_gone: IsGone) -> Iterator[Entry]:
    wanted, after = _wanted(query)
    return services().event_feed.follow(wanted, after, is_gone)


def _messages(entries: Iterator[Entry], dumps: Callable[[dict[str, Any]], str]) -> Iterator[str]:
    """The texts of the messages. An error ends them: the client must come again."""
    try:
        for event_id, event in entries:
            yield dumps({"id": event_id, **(event or PLACE)})
    except TrainyardError as error:
        logger.warning("a stream over a WebSocket ends: %s", error.message)


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
