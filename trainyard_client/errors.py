"""What may go wrong between a client and its server: one tree that mirrors the server's error envelope."""

from collections.abc import Mapping
from typing import Any


class TrainyardError(Exception):
    """Anything that this package raises.

    `code` is a stable name, `cause` is `user` or `infrastructure`, `remedy` says what to do. What a server
    answered has its HTTP `status`, `errors` keyed by field, `request_id`, by which its log tells more, and
    `retry_after_s`, before which another try is pointless.
    """

    code = "client_error"
    cause = "user"
    remedy = ""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        errors: Mapping[str, Any] | None = None,
        cause: str | None = None,
        remedy: str | None = None,
        request_id: str | None = None,
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status
        self.errors = dict(errors or {})
        self.cause = cause or self.cause
        self.remedy = self.remedy if remedy is None else remedy
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class SettingsError(TrainyardError):
    """An address, key or profile that cannot be used."""

    code = "settings_error"


class ServerUnreachable(TrainyardError):
    """No answer came, though the call was tried again as far as that is safe."""

    code = "server_unreachable"
    cause = "infrastructure"
    remedy = "See that the address is right and the server runs; the call may be made again."


class TransferDamaged(TrainyardError):
    """What was downloaded is not what the server holds."""

    code = "transfer_damaged"
    cause = "infrastructure"
    remedy = "Download it again."


class StreamEnded(TrainyardError):
    """The server closed a stream again and again without a new event."""

    code = "stream_ended"
    cause = "infrastructure"
    remedy = "Watch again; it goes on after the last event that was seen."


class RunFailed(TrainyardError):
    """A run that was trained or waited for has failed."""

    code = "run_failed"


class Refused(TrainyardError):
    """The server answered, and does not do it; subclasses say why."""


class NotSignedIn(Refused):
    """401: no key, or one that is not accepted."""


class Forbidden(Refused):
    """403: the key or the caller may not do this."""


class NotFound(Refused):
    """404: there is no such record, file or address."""


class Conflict(Refused):
    """409: not in the state in which the record is."""


class InvalidRequest(Refused):
    """400, 415, 422: something of the request is wrong; `errors` names the fields."""


class TooLarge(Refused):
    """413: more bytes than the server takes."""


class TooManyRequests(Refused):
    """429: slower, please."""


class ServerFailed(TrainyardError):
    """5xx: the server could not do what it should."""

    cause = "infrastructure"


class ServerBusy(ServerFailed):
    """503: not at present; it was tried again as far as that is safe."""


class GatewayTrouble(ServerFailed):
    """502, 504: a proxy answered for the server, which may be back in a moment."""

    remedy = "See that the server behind the proxy runs; the call may be made again."


BY_STATUS: Mapping[int, type[TrainyardError]] = {
    400: InvalidRequest,
    401: NotSignedIn,
    403: Forbidden,
    404: NotFound,
    405: InvalidRequest,
    409: Conflict,
    413: TooLarge,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
    502: GatewayTrouble,
    503: ServerBusy,
    504: GatewayTrouble,
}


def error_of(
    status: int, body: Any, request_id: str | None = None, retry_after_s: float = 0.0
) -> TrainyardError:
    """The error that a response means; `body` is its JSON, None where a proxy answered."""
    kind = BY_STATUS.get(status, ServerFailed if status >= 500 else Refused)
    if not isinstance(body, Mapping) or not isinstance(body.get("message"), str):
        body = {"message": f"The server answered {status}.", "code": f"http_{status}"}
    errors = body.get("errors")
    return kind(
        body["message"],
        code=body.get("code"),
        status=status,
        errors=errors if isinstance(errors, Mapping) else {},
        cause=body.get("cause"),
        remedy=body.get("remedy"),
        request_id=body.get("request_id") or request_id,
        retry_after_s=retry_after_s,
    )
