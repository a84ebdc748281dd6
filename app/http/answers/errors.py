"""Every error leaves in one envelope:
{"code", "status", "message", "errors", "cause", "remedy", "request_id"}.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from flask import Flask, Response, g, jsonify, request
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge, RequestTimeout

from app.http.requests.arguments import RepeatedKey
from app.http.requests.unparsed import client_error
from trainyard.errors import (
    BadDataset,
    BodyTooLarge,
    Conflict,
    Forbidden,
    HousekeepingStalled,
    ImportTimeout,
    InvalidModel,
    InvalidRequest,
    NoImportWorker,
    NoPredictWorker,
    NotFound,
    PayloadTooLarge,
    PredictionTimeout,
    StorageUnavailable,
    StoreUnavailable,
    TooManyPredictions,
    TooManyRequests,
    TooManyStreams,
    TooManyUploads,
    TrainyardError,
    Unauthorized,
    Unreadable,
    WeightsUnavailable,
)

logger = logging.getLogger(__name__)

STATUS: dict[type[TrainyardError], int] = {
    RepeatedKey: 400,
    InvalidRequest: 422,
    BadDataset: 422,
    InvalidModel: 422,
    WeightsUnavailable: 422,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Unreadable: 409,
    PayloadTooLarge: 413,
    Unauthorized: 401,
    TooManyRequests: 429,
    StoreUnavailable: 503,
    StorageUnavailable: 503,
    TooManyStreams: 503,
    HousekeepingStalled: 503,
    TooManyUploads: 503,
    TooManyPredictions: 503,
    NoPredictWorker: 503,
    PredictionTimeout: 504,
    ImportTimeout: 504,
    NoImportWorker: 503,
}
RETRY_AFTER_S = 5
"""When to try again after a 503."""
_REMEDIES = {
    400: "Mend the request as the message says; the API is described at /docs.",
    404: "Check the address; the API is described at /docs.",
    408: "Send the body without pauses; nothing of it was kept.",
    405: "Use one of the methods in the `Allow` header.",
    414: "Send a shorter address; what is long belongs into the body.",
    415: "Send the content type that the API's description at /docs names.",
    417: "Leave the `Expect` header out, or expect `100-continue`.",
    426: "Open this address with a WebSocket client, or follow GET /api/v1/events.",
    431: "Send fewer and shorter headers.",
    501: "Send the body whole, with its `Content-Length`, or `chunked`.",
    416: "Ask for bytes that the file has; leave the Range header out to get all of it.",
}
Form: TypeAlias = Callable[[Exception], Response]
"""How a contract shows an error."""
_REPLACED_HEADERS = {"content-type", "content-length"}


class ErrorSchema(Schema):
    """What every error looks like."""

    code = fields.String(metadata={"description": "stable name of the kind of error"})
    status = fields.Integer(metadata={"description": "HTTP status"})
    message = fields.String(metadata={"description": "one sentence for a person"})
    errors = fields.Dict(metadata={"description": "what is wrong, keyed by field as the request is nested"})
    cause = fields.String(validate=validate.OneOf(["user", "infrastructure"]))
    remedy = fields.String(metadata={"description": "what to do about it"})
    request_id = fields.String(metadata={"description": "also in the header X-Request-ID"})


def envelope(error: Exception) -> dict[str, Any]:
    """The envelope of any error; internals of an unexpected one stay in the log."""
    if isinstance(error, RequestEntityTooLarge):
        error = BodyTooLarge()
    elif isinstance(error, ClientDisconnected):
        error = RequestTimeout("The body did not come in time.")
    if isinstance(error, TrainyardError):
        content = {"status": status_of(error), **error.to_dict()}
    elif isinstance(error, HTTPException):
        content = _http_content(error)
    else:
        content = {
            "status": 500,
            **TrainyardError("Something went wrong here; it has been logged.").to_dict(),
        }
    return {name: content.get(name) for name in ErrorSchema._declared_fields} | {"request_id": _request_id()}


def status_of(error: TrainyardError) -> int:
    """The HTTP status of an error of the domain; 500 where its kind is not meant for clients."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def respond(error: Exception) -> Response:
    """The envelope as a response, after logging what a client must not see."""
    log_unexpected(error)
    content = envelope(error)
    response = jsonify(content)
    response.status_code = content["status"]
    response.headers.extend(headers_of(error))
    return response


def headers_of(error: Exception) -> list[tuple[str, str]]:
    """Headers that belong to an error in any form, such as `Allow`."""
    if isinstance(error, HTTPException):
        return [pair for pair in error.get_headers() if pair[0].lower() not in _REPLACED_HEADERS]
    if isinstance(error, TooManyRequests):
        return [("Retry-After", str(error.retry_after_s))]
    if isinstance(error, TrainyardError) and status_of(error) == 503:
        return [("Retry-After", str(RETRY_AFTER_S))]
    return []


def log_unexpected(error: Exception) -> None:
    """Write errors that are this server's to its log, with their traceback."""
    if isinstance(error, TrainyardError) and status_of(error) in (503, 504):
        # What the driver said, addresses among it, is for the operator alone.
        logger.warning("request %s: %s (%s)", _request_id(), error, error.__cause__)
    elif isinstance(error, TrainyardError) and status_of(error) < 500:
        return
    elif not isinstance(error, HTTPException) or not _is_clients(error.code or 500):
        logger.error("request %s failed", _request_id(), exc_info=error)


def register(app: Flask, forms: Mapping[str, Form], otherwise: Form) -> None:
    """Answer every error with the form of the address's first part, or with that of all others."""

    def show(error: Exception) -> Response:
        form = forms.get(request.path.split("/")[1], otherwise)
        return form(client_error(error) or error)

    def show_http(error: HTTPException) -> Any:
        """Redirects, which werkzeug also raises, pass."""
        return error if error.code is None or error.code < 400 else show(error)

    app.register_error_handler(Exception, show)
    app.register_error_handler(HTTPException, show_http)


def _http_content(error: HTTPException) -> dict[str, Any]:
    status = error.code or 500
    return {
        "code": error.name.lower().replace(" ", "_"),
        "status": status,
        "message": error.description or error.name,
        "errors": {},
        "cause": "user" if _is_clients(status) else "infrastructure",
        "remedy": _REMEDIES.get(status, _REMEDIES[400] if status < 500 else TrainyardError.remedy),
    }


def _is_clients(status: int) -> bool:
    """Whether a status tells of the request: also 501, of a coding that nobody here reads."""
    return status < 500 or status == 501


def _request_id() -> str:
    return str(g.get("request_id", ""))


def described_errors() -> dict[int, dict[str, Any]]:
    """By status: an example of each error that has it, by its code; for the API's description."""
    found: dict[int, dict[str, Any]] = {}
    for kind, status in STATUS.items():
        error = kind(retry_after_s=7) if kind is TooManyRequests else kind("")
        _example(found, status, error.to_dict() | {"message": (kind.__doc__ or "").strip()})
    for status, remedy in _REMEDIES.items():
        name, cause = HTTPStatus(status).phrase, "user" if _is_clients(status) else "infrastructure"
        told = {"code": name.lower().replace(" ", "_"), "message": f"{name}.", "errors": {}}
        _example(found, status, {**told, "cause": cause, "remedy": remedy})
    _example(found, 500, TrainyardError("Something went wrong here; it has been logged.").to_dict())
    return found


def _example(found: dict[int, dict[str, Any]], status: int, told: dict[str, Any]) -> None:
    content = {**told, "status": status, "request_id": "0dd175142a689668"}
    found.setdefault(status, {})[told["code"]] = {
        "value": {name: content[name] for name in ErrorSchema._declared_fields}
    }
