"""/runs/{id}/log"""

from typing import Any

from flask import Response, request
from flask.views import MethodView

from app.composition import services
from app.http.answers.conditional import file_response
from app.http.requests.arguments import Blueprint
from app.http.streams.feed_forms import LogText
from app.http.streams.followers import LogFollower
from app.http.streams.framing import Framing
from app.http.streams.handed_over import HandedOver, Line
from app.routes.run_outputs.event_stream import HEADERS
from app.schemas.run_outputs.log import DEFAULT_LINES, LogQuery
from app.schemas.runs.runs import PREFIX
from app.service.run_outputs.logs import LogPart

blueprint = Blueprint("run-log", __name__, url_prefix=PREFIX, description="The training log of a run.")
_TEXT = "text/plain"
_OFFSET = "Log-Offset"
_RANGE = {
    "in": "header",
    "name": "Range",
    "schema": {"type": "string"},
    "description": "bytes of the whole log, as of any download; without `tail`, `offset` and `follow`",
}
_HEADERS = {_OFFSET: {"schema": {"type": "integer"}, "description": "offset of what comes after this answer"}}


@blueprint.route("/<run_id>/log")
class Log(MethodView):
    @blueprint.doc(parameters=[_RANGE])
    @blueprint.arguments(LogQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type=_TEXT, headers=_HEADERS)
    @blueprint.alt_response(206, schema={"type": "string"}, content_type=_TEXT, description="part of the log")
    def get(self, query: dict[str, Any], run_id: str) -> Response:
        """Read the training log: its last lines, a part, or from there on as it grows."""
        logs = services().run_logs
        asks_for_lines = "tail" in query or "offset" in query or query["follow"]
        if "Range" in request.headers and not asks_for_lines and (path := logs.file(run_id)):
            return file_response(request, path, _TEXT)
        if "offset" in query:
            part = logs.part(run_id, query["offset"], query["limit"])
        else:
            part = logs.tail(run_id, query.get("tail", DEFAULT_LINES))
        if query["follow"]:
            return _followed(run_id, part)
        return Response(part.content, mimetype=_TEXT, headers={_OFFSET: str(part.next_offset)})


def _followed(run_id: str, part: LogPart) -> Response:
    """What is asked for and the rest of what is there, then what comes. Raises TooManyStreams."""
    sockets, log = services().feed_sockets, services().run_logs.reader(run_id, part.next_offset)
    sockets.begin()
    seen = sockets.newest

    def go_on(line: Line, framing: Framing) -> None:
        line.sendall(framing.piece(part.content))
        while piece := log.next():
            line.sendall(framing.piece(piece))
        follower = LogFollower(line.give_away(), LogText(), framing, seen, run_id=run_id, read=log.next)
        sockets.join(follower)

    return HandedOver(go_on, has_end=True, mimetype=_TEXT, headers=HEADERS)
