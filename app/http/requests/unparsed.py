"""Requests that the server's own parser refuses: they are shown as any other error.

The server cannot make a request of them, so it calls the application for the address, as far as it is known,
with the error in the environment. Bodies are read later, so that theirs are raised within the application.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors
from werkzeug import exceptions
from werkzeug.exceptions import (
    BadRequest,
    ExpectationFailed,
    HTTPException,
    RequestHeaderFieldsTooLarge,
    RequestURITooLarge,
    UnsupportedMediaType,
)
from werkzeug.test import create_environ
from werkzeug.wrappers import Response

ERROR = "trainyard.unparsed"
"""Where the environment has the error."""
_OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)
_KINDS: dict[type[Exception], type[HTTPException]] = {
    errors.LimitRequestLine: RequestURITooLarge,
    errors.LimitRequestHeaders: RequestHeaderFieldsTooLarge,
    errors.ExpectationFailed: ExpectationFailed,
    errors.UnsupportedTransferCoding: exceptions.NotImplemented,
}
_LONGEST = 200
"""Characters of a message: what it cites may be as long as a request."""


def client_error(error: Exception) -> HTTPException | None:
    """What the client did wrong, where that is what the parser says; None for any other error."""
    if not isinstance(error, errors.ParseException) or isinstance(error, _OURS):
        return None
    kind = next((kind for known, kind in _KINDS.items() if isinstance(error, known)), BadRequest)
    return kind(f"{str(error)[:_LONGEST].rstrip('.')}.")


def check(environ: Mapping[str, Any]) -> None:
    """Raise the server's error, or an HTTPException for what its parser lets pass and nobody here reads."""
    if error := environ.get(ERROR):
        raise error
    if environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and "HTTP_HOST" not in environ:
        raise BadRequest("A request of HTTP/1.1 has the header `Host`.")
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower() != "chunked":
        raise exceptions.NotImplemented("Bodies are sent whole or `chunked`, in no other transfer coding.")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("Send the body as it is, without `Content-Encoding`.")


def answer(app: Any, path: str, error: Exception) -> tuple[Response, bytes]:
    """The application's answer to an error of the server, and its bytes, after which the connection ends."""
    environ = {**create_environ(path), ERROR: error}
    response = Response.from_app(app, environ, buffered=True)
    body = response.get_data()
    response.headers["Connection"] = "close"
    response.headers["Content-Length"] = str(len(body))
    head = f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}\r\n{response.headers}"
    return response, head.encode("latin-1") + body
