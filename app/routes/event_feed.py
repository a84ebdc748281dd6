"""/events: many runs, live"""

from typing import Any

from flask import Response, request
from flask.views import MethodView

from app.composition import services
from app.http.arguments import Blueprint
from app.http.client import departure
from app.routes.event_stream import LAST_EVENT_ID, event_stream
from app.schemas.event_feed import EventFeedQuery
from app.service.event_feed import FeedQuery
from app.service.run_events import checked_event_id

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
        sent = request.headers.get("Last-Event-ID") or query.get("last_event_id")
        wanted = FeedQuery(
            run_ids=_set(query.get("runs")), project=query.get("project"), kinds=_set(query.get("kinds"))
        )
        after = checked_event_id(sent) if sent else None
        return event_stream("many runs", services().event_feed.follow(wanted, after, departure(request)))


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
