"""What is done to every request and answer: an id, who may send it, safe headers."""

import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from app.compat import study
from app.compat.keys import keys_in
from trainyard.errors import Forbidden, Unauthorized
from trainyard.same_origin import is_foreign, is_own_host
from trainyard.settings import Settings

OPEN_PATHS = frozenset({"/ping", "/healthz", "/readyz", "/openapi.json", "/docs"})
"""Answered without a key: probes, and the description of the API."""
OPEN_FOLDER = "/docs/"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)
"""Swagger UI's page begins with a script of its own; everything comes from this server."""


def register(app: Flask, settings: Settings) -> None:
    """Install the hooks. Without `api_key_hashes` no key is needed, and only own pages may call."""
    hashes = settings.api_key_hashes

    def begin() -> None:
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if _REQUEST_ID.match(sent) else secrets.token_hex(8)
        if not hashes:
            _check_host(settings.allowed_hosts)
            _check_origin()
        elif not _is_open(request.path):
            _check_key(hashes)

    app.before_request(begin)
    app.after_request(_finish)


def is_known(key: str, hashes: tuple[str, ...]) -> bool:
    """Whether a key has one of the hashes (SHA-256 in hex)."""
    found = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    matches = [hmac.compare_digest(found, one) for one in hashes]  # all of them: no timing tells which
    return any(matches)


def _check_host(more: tuple[str, ...]) -> None:
    if not is_own_host(request.headers.get("Host"), more):
        raise Forbidden(
            "The request calls this server by a name that is not its own.",
            remedy="Call it by localhost or 127.0.0.1, or name the host in TRAINYARD_ALLOWED_HOSTS.",
            errors={"Host": ["a name of this machine"]},
        )


def _check_origin() -> None:
    if is_foreign(request.method, request.headers):
        raise Forbidden(
            "The request was sent by a page of another origin.",
            errors={"Origin": ["the origin of this server, or none"]},
        )


def _check_key(hashes: tuple[str, ...]) -> None:
    """Raise Unauthorized unless a key with one of the hashes comes as this contract allows."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    keys = [token.strip()] if scheme.lower() == "bearer" else []
    if study.owns(request.path):
        keys += keys_in(request)
    if not any(is_known(key, hashes) for key in keys):
        raise Unauthorized()
    if scheme.lower() == "basic":
        _check_origin()  # a browser that was told the password adds it to whatever a page sends here


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDER)


def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path == "/docs":
        response.headers["Content-Security-Policy"] = _DOCS_POLICY
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
        if study.owns(request.path):
            response.headers.add("WWW-Authenticate", 'Basic realm="trainyard", charset="UTF-8"')
    if "Location" in response.headers:
        response.headers["Location"] = _within(response.headers["Location"])
    response.headers["X-Request-ID"] = g.get("request_id", "")
    return response


def _within(location: str) -> str:
    """The address without its host, which is the client's word, and with one slash, so that it is none."""
    parts = urlsplit(location)
    path = "/" + parts.path.lstrip("/\\")
    return f"{path}?{parts.query}" if parts.query else path
