"""Who asks, and whether that may: keys, roles, projects, and how many requests."""

import hmac
from collections.abc import Callable
from typing import Any, cast

from flask import current_app, g, request

from app.compat import contracts, study
from app.compat.keys import keys_in
from app.http.access.rate_limit import RateLimit
from app.http.access.sessions import Sessions
from trainyard.access import Access, AccessKey, Role
from trainyard.errors import Forbidden, NotFound, TooManyRequests, TrainyardError, Unauthorized
from trainyard.registry.access_keys import digest

EXTENSION = "trainyard.authentication"
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
OPEN_PATHS = frozenset({"/ping", "/healthz", "/readyz", "/openapi.json", "/docs", SIGN_IN, SIGN_OUT})
"""Answered without a key: probes, the description of the API, and how a browser gets and leaves a session."""
OPEN_FOLDERS = ("/docs/", "/assets/")
READING = frozenset({"GET", "HEAD", "OPTIONS"})
ADMIN_BLUEPRINTS = frozenset({"admin", "keys"})
_DRAIN = "/api/v1/workers/<worker_id>/drain"
ADMIN_CALLS = frozenset({("PUT", "/api/v1/projects/<path:name>"), ("POST", _DRAIN), ("DELETE", _DRAIN)})
READING_CALLS = frozenset({("POST", "/boards/<board_id>/<path:rest>")})
"""What reads by a method that else writes: TensorBoard asks so for its series."""
WRONG_KEYS_PER_MINUTE = 60
"""Of one address: those beyond are refused without a word in the audit log, which so cannot be flooded."""

ProjectOf = Callable[[str], str | None]
"""The project of a record by its id, None where there is none; raises NotFound for what is no id."""


class Authentication:
    """Decides for each request who sent it and whether it may be answered."""

    def __init__(
        self,
        hashes: tuple[str, ...],
        authenticate: Callable[[str], AccessKey | None],
        projects_of: dict[str, ProjectOf],
        requests_per_minute: int,
        sessions: Sessions,
    ) -> None:
        """`authenticate` finds a key by its digest. `hashes` are those of the first admins' keys; without
        any, no key is needed.

        `projects_of` has, by the name of an address' parameter, what tells the project of its record.
        """
        self._hashes = hashes
        self._authenticate = authenticate
        self._projects_of = projects_of
        self._sessions = sessions
        self._requests = RateLimit(requests_per_minute)
        self._wrong_keys = RateLimit(WRONG_KEYS_PER_MINUTE)

    def identify(self) -> Access:
        """Who sent the present request; raises Unauthorized and TooManyRequests."""
        address = request.remote_addr or "unknown"
        return self._holder(address) if self._hashes else Access(who=f"local {address}")

    @property
    def needs_key(self) -> bool:
        """Whether only those are answered who hold a key."""
        return bool(self._hashes)

    def sign_in(self, secret: str) -> str:
        """The token of a new session for a browser that sent that key; raises as `identify`."""
        if self._access(digest(secret)) is None:
            raise self._refusal(request.remote_addr or "unknown")
        return self._sessions.begin(digest(secret))

    def sign_out(self) -> None:
        """End the present request's session."""
        self._sessions.end()

    def authorize(self, access: Access) -> None:
        """Raise Forbidden or TooManyRequests unless the present request of that caller may be answered."""
        if wait_s := self._requests.wait_s(access.who):
            raise TooManyRequests(retry_after_s=wait_s)
        self._check_role(access)
        self._check_project(access)

    def _holder(self, address: str) -> Access:
        """Whoever sends a key is known by it alone; without one, a browser is by its session."""
        secrets = sent_keys()
        for secret in secrets:
            if access := self._access(digest(secret)):
                return access
        if not secrets and (key_hash := self._sessions.key_hash()) and (access := self._access(key_hash)):
            g.has_session = True
            return access
        raise self._refusal(address)

    def _access(self, found: str) -> Access | None:
        """What the key with that digest may; None where it is not accepted."""
        matches = [hmac.compare_digest(found, one) for one in self._hashes]  # all: no timing tells which
        if any(matches):
            return Access(who=f"setting {found[:8]}")
        key = self._authenticate(found)
        return Access(who=key.id, role=key.role, projects=key.projects) if key else None

    def _refusal(self, address: str) -> TrainyardError:
        if wait_s := self._wrong_keys.wait_s(address):
            return TooManyRequests("Too many wrong keys have come from this address.", retry_after_s=wait_s)
        return Unauthorized()

    def _check_role(self, access: Access) -> None:
        role = present_role()
        if not access.has(role):
            raise Forbidden(
                f"This needs a key with the role `{role}`; yours is `{access.role}`.",
                remedy="Use such a key, or ask an admin for one.",
                errors={"role": [role]},
            )

    def _check_project(self, access: Access) -> None:
        """Of what the address names; what a body names is checked where it is known."""
        if not access.projects or request.method in READING:
            return
        if study.owns(request.path):
            raise Forbidden("A key of certain projects changes nothing by this contract.")
        for name, project_of in self._projects_of.items():
            project = _project(project_of, (request.view_args or {}).get(name))
            if project is not None and not access.may_change(project):
                raise Forbidden(
                    f"This key may change nothing in the project {project!r}.",
                    remedy="Use a key of this project, or ask an admin for one.",
                    errors={"project": [f"one of: {', '.join(access.projects)}"]},
                )


def needed_role(method: str, blueprint: str | None, rule: str | None) -> Role:
    """What a call needs that is not open: `viewer` to read, else `trainer`, but for what is an admin's."""
    if blueprint in ADMIN_BLUEPRINTS or (method, rule) in ADMIN_CALLS:
        return Role.ADMIN
    return Role.VIEWER if method in READING or (method, rule) in READING_CALLS else Role.TRAINER


def present_role() -> Role:
    """What the present request needs."""
    return needed_role(request.method, request.blueprint, request.url_rule.rule if request.url_rule else None)


def sent_keys() -> list[str]:
    """What the request brings as keys, as its contract allows."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    found = [token.strip()] if scheme.lower() == "bearer" else []
    return found + (keys_in(request) if contracts.owns(request.path) else [])


def authentication() -> Authentication:
    """That of the application which answers the present request."""
    return cast("Authentication", current_app.extensions[EXTENSION])


def is_open(path: str) -> bool:
    """Whether an address is answered without a key."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def _project(project_of: ProjectOf, record_id: Any) -> str | None:
    if record_id is None:
        return None
    try:
        return project_of(record_id)
    except NotFound:
        return None  # the route says so
