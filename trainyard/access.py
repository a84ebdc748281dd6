"""Who may do what: keys with a role, and what the present caller may."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from trainyard.errors import Forbidden


class Role(StrEnum):
    """What a key may: `viewer` reads, `trainer` changes runs and data sets, `admin` keys and limits, too."""

    VIEWER = "viewer"
    TRAINER = "trainer"
    ADMIN = "admin"


RANK = {Role.VIEWER: 0, Role.TRAINER: 1, Role.ADMIN: 2}


@dataclass(frozen=True, kw_only=True)
class AccessKey:
    """A key as it is kept: never itself, but the SHA-256 of it in hex. Times are seconds since 1970, UTC.

    `projects` are those in which it may change anything; empty: all. `created_by` is the key that made it.
    """

    id: str
    name: str
    role: Role = field(metadata={"by_value": True})
    projects: tuple[str, ...] = ()
    hash: str
    created_at: float
    created_by: str
    expires_at: float | None = None
    revoked_at: float | None = None

    def is_valid(self, now: float) -> bool:
        """Whether it is accepted at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who asks: a key's id or another name for whoever needs none, and what that may."""

    who: str
    role: Role = Role.ADMIN
    projects: tuple[str, ...] = ()

    def has(self, role: Role) -> bool:
        """Whether the caller may do what needs this role."""
        return RANK[self.role] >= RANK[role]

    def may_change(self, project: str) -> bool:
        """Whether the caller may change something of the project."""
        return self.has(Role.TRAINER) and (not self.projects or project in self.projects)


PROCESS = Access(who="process")
"""A process that answers nobody, such as a worker: it may do everything."""
_PRESENT: ContextVar[Access] = ContextVar("access", default=PROCESS)


def present_access() -> Access:
    """Of whoever is being answered."""
    return _PRESENT.get()


def set_access(access: Access) -> None:
    """Say who is being answered from now on, by this thread."""
    _PRESENT.set(access)


def require_project(project: str) -> None:
    """Raise Forbidden unless the caller may change something of the project."""
    access = present_access()
    if not access.may_change(project):
        raise Forbidden(
            f"This key may change nothing in the project {project!r}.",
            remedy="Use a key of this project, or ask an admin for one.",
            errors={"project": [f"one of: {', '.join(access.projects)}"]},
        )
