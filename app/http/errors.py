"""Every error leaves in one envelope:
{"code", "status", "message", "errors", "cause", "remedy", "request_id"}.
"""

import logging
from typing import Any

from flask import Flask, Response, g, jsonify
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from trainyard.errors import (
    BadDataset,
    Conflict,
    HousekeepingStalled,
    InvalidModel,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    StorageUnavailable,
    StoreUnavailable,
    TooManyStreams,
    TrainyardError,
    Unauthorized,
    Unreadable,
    WeightsUnavailable,
)

logger = logging.getLogger(__name__)

STATUS: dict[type[TrainyardError], int] = {
    InvalidRequest: 422,
    BadDataset: 422,
    InvalidModel: 422,
    WeightsUnavailable: 422,
    NotFound: 404,
    Conflict: 409,
    Unreadable: 409,
    PayloadTooLarge: 413,
    Unauthorized: 401,
    StoreUnavailable: 503,
    StorageUnavailable: 503,
    TooManyStreams: 503,
    HousekeepingStalled: 503,
}
RETRY_AFTER_S = 5
"""When a client may try again what cannot be answered at present."""
_REMEDIES = {
    400: "Mend the request as the message says; the API is described at /docs.",
    404: "Check the address; the API is described at /docs.",
    405: "Use one of the methods in the `Allow` header.",
    415: "Send the content type that the API's description at /docs names.",
    416: "Ask for bytes that the file has; leave the Range header out to get all of it.",
}
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
        error = PayloadTooLarge()
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
    if response.status_code == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, HTTPException):
        kept = [pair for pair in error.get_headers() if pair[0].lower() not in _REPLACED_HEADERS]
        response.headers.extend(kept)
    return response


def log_unexpected(error: Exception) -> None:
    """Write errors that are this server's to its log, with their traceback."""
    if isinstance(error, TrainyardError) and status_of(error) == 503:
        # What the driver said, addresses among it, is for the operator alone.
        logger.warning("request %s: %s (%s)", _request_id(), error, error.__cause__)
    elif isinstance(error, TrainyardError) and status_of(error) < 500:
        return
    elif not isinstance(error, HTTPException) or (error.code or 500) >= 500:
        logger.error("request %s failed", _request_id(), exc_info=error)


def register(app: Flask) -> None:
    """Answer every error of the application with the envelope."""
    app.register_error_handler(Exception, respond)
    app.register_error_handler(HTTPException, respond_http)


def respond_http(error: HTTPException) -> Any:
    """As `respond`; redirects, which werkzeug also raises, pass."""
    if error.code is None or error.code < 400:
        return error
    return respond(error)


def _http_content(error: HTTPException) -> dict[str, Any]:
    status = error.code or 500
    return {
        "code": error.name.lower().replace(" ", "_"),
        "status": status,
        "message": error.description or error.name,
        "errors": {},
        "cause": "user" if status < 500 else "infrastructure",
        "remedy": _REMEDIES.get(status, _REMEDIES[400] if status < 500 else TrainyardError.remedy),
    }


def _request_id() -> str:
    return str(g.get("request_id", ""))
