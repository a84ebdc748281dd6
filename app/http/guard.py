"""What is done to every request and answer: an id, the API key, safe headers."""

import hashlib
import hmac
import re
import secrets

from flask import Flask, Response, g, request

from trainyard.errors import Unauthorized

OPEN_PATHS = frozenset({"/ping", "/healthz", "/readyz", "/openapi.json", "/docs"})
"""Answered without a key: probes, and the description of the API."""
OPEN_FOLDER = "/docs/"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)
"""Swagger UI's page begins with a script of its own; everything comes from this server."""


def register(app: Flask, key_hashes: tuple[str, ...]) -> None:
    """Install the hooks; `key_hashes` are SHA-256 in hex, none of them means that no key is needed."""
    wanted = [text.strip().lower() for text in key_hashes]

    def begin() -> None:
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if _REQUEST_ID.match(sent) else secrets.token_hex(8)
        if wanted and not _is_open(request.path):
            check_key(request.headers.get("Authorization", ""), wanted)

    app.before_request(begin)
    app.after_request(_finish)


def check_key(authorization: str, wanted: list[str]) -> None:
    """Raise Unauthorized unless the header bears a key with one of the hashes."""
    scheme, _, key = authorization.partition(" ")
    found = hashlib.sha256(key.strip().encode("utf-8", "replace")).hexdigest()
    matches = [hmac.compare_digest(found, one) for one in wanted]
    if scheme.lower() != "bearer" or not any(matches):
        raise Unauthorized()


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDER)


def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path == "/docs":
        response.headers["Content-Security-Policy"] = _DOCS_POLICY
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    response.headers["X-Request-ID"] = g.get("request_id", "")
    return response
