"""What is done to every request and answer: an id, who may send it, safe headers."""

import re
import secrets
from typing import TypeAlias
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from app.compat import contracts
from app.http.access.authentication import (
    EXTENSION,
    READING,
    SIGN_IN,
    SIGN_OUT,
    WRONG_KEYS_PER_MINUTE,
    Authentication,
    ProjectOf,
    is_open,
    present_role,
)
from app.http.access.rate_limit import RateLimit
from app.http.access.sessions import Sessions
from app.http.requests import unparsed
from trainyard.access import PROCESS, Access, Role, present_access, set_access
from trainyard.errors import Forbidden
from trainyard.log_context import set_log_context
from trainyard.registry.access_keys import AccessKeys
from trainyard.registry.audit import AuditLog
from trainyard.same_origin import is_foreign, is_own_host
from trainyard.settings import Settings

REFUSALS = frozenset({401, 403, 429})
ProjectsOf: TypeAlias = dict[str, ProjectOf]
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


def register(
    app: Flask,
    settings: Settings,
    keys: AccessKeys,
    sessions: Sessions,
    audit: AuditLog,
    projects_of: ProjectsOf,
) -> None:
    """Install the hooks. Without `api_key_hashes` no key is needed, and only own pages may call."""
    authentication = app.extensions[EXTENSION] = Authentication(
        settings.api_key_hashes, keys.authenticate, projects_of, settings.requests_per_minute, sessions
    )
    needs_key = authentication.needs_key
    refusals = RateLimit(WRONG_KEYS_PER_MINUTE)

    def begin() -> None:
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if _REQUEST_ID.match(sent) else secrets.token_hex(8)
        set_log_context(request=g.request_id)
        set_access(Access(who="unknown", role=Role.VIEWER))
        unparsed.check(request.environ)
        if not needs_key:
            _check_host(settings.allowed_hosts)
        if not needs_key or request.path in (SIGN_IN, SIGN_OUT):
            _check_origin()
        if is_open(request.path):
            return
        access = authentication.identify()
        set_access(access)
        authentication.authorize(access)
        if needs_key and (g.get("has_session") or _has_password()):
            _check_origin()  # the browser adds either to whatever a page sends here

    def note(response: Response) -> Response:
        """Put refusals, as far as nobody floods the log with them, and acts of admins into the audit log."""
        is_refused = response.status_code in REFUSALS
        is_act = request.method not in READING and response.status_code < 400 and present_role() == Role.ADMIN
        if is_act or (is_refused and not refusals.wait_s(request.remote_addr or "unknown")):
            audit.add(
                "refused" if is_refused else "done",
                present_access().who,
                status=response.status_code,
                method=request.method,
                path=request.path,
                address=request.remote_addr,
                request_id=g.get("request_id", ""),
            )
        return response

    app.teardown_request(_end)
    app.before_request(begin)
    app.after_request(note)
    app.after_request(_finish)


def _end(_: BaseException | None) -> None:
    """The thread is nobody's again."""
    set_access(PROCESS)
    set_log_context()


def _has_password() -> bool:
    return request.headers.get("Authorization", "").lower().startswith("basic ")


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


def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path == "/docs":
        response.headers["Content-Security-Policy"] = _DOCS_POLICY
    if g.get("has_session"):
        response.headers["Cache-Control"] = "no-store"  # nothing is left behind when the browser signs out
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
        if contracts.owns(request.path):
            response.headers.add("WWW-Authenticate", 'Basic realm="trainyard", charset="UTF-8"')
    if "Location" in response.headers:
        response.headers["Location"] = _within(response.headers["Location"], request.script_root)
    if request.method == "OPTIONS" and request.url_rule and response.status_code == 200:
        # Flask names the methods of all rules that fit: `/runs/<run_id>` fits `/runs/check` as well.
        response.headers["Allow"] = ", ".join(sorted(request.url_rule.methods or ()))
    response.headers["X-Request-ID"] = g.get("request_id", "")
    return response


def _within(location: str, prefix: str) -> str:
    """The address without its host, which is the client's word, with one slash, so that it is none, and with
    what a proxy puts before all paths."""
    parts = urlsplit(location)
    path = "/" + parts.path.lstrip("/\\")
    path = path if path.startswith(f"{prefix}/") else f"{prefix}{path}"
    return f"{path}?{parts.query}" if parts.query else path
