"""/runs/{id}/log"""

import logging
from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Response, request
from flask.views import MethodView

from app.composition import services
from app.http.answers.conditional import file_response
from app.http.requests.arguments import Blueprint
from app.http.requests.client import departure
from app.schemas.run_outputs.log import DEFAULT_LINES, LogQuery
from app.schemas.runs.runs import PREFIX
from app.service.run_outputs.logs import LogPart
from trainyard.errors import TrainyardError

logger = logging.getLogger(__name__)
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
    services_ = services()
    is_gone = departure(request)
    slot = services_.stream_slots.take(is_gone)
    rest = services_.run_logs.follow(run_id, part.next_offset, is_gone)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    response = Response(chain([part.content], _until_trouble(run_id, rest)), mimetype=_TEXT, headers=headers)
    response.call_on_close(lambda: services_.stream_slots.give_back(slot))
    return response


def _until_trouble(run_id: str, rest: Iterator[bytes]) -> Iterator[bytes]:
    """An error ends the answer: its beginning is sent, so the client must ask again from where it is."""
    try:
        yield from rest
    except TrainyardError as error:
        logger.warning("the log of %s ends early: %s", run_id, error.message)
