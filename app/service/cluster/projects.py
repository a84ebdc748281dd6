"""Use cases of projects: which there are, what they are for, how much they may have at once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainyard.errors import Conflict
from trainyard.scheduling.projects import Projects
from trainyard.store.resources.project_store import ProjectContents, ProjectDescription


@dataclass(frozen=True, kw_only=True)
class ProjectState:
    """A project: what is said and set of it, and what it has.

    `created_at`, in seconds since 1970, is None of one that nobody has described: it is there by its records.
    `effective` is its own limit or the cluster's, None where there is none. `runs` are counts by status.
    """

    name: str
    description: str
    created_at: float | None
    max_concurrent: int | None
    effective: int | None
    runs: Mapping[str, int]
    datasets: int
    newest_at: float | None


@dataclass(frozen=True, kw_only=True)
class ProjectPage:
    """Projects by name; `next_cursor` is None on the last page."""

    items: list[ProjectState]
    next_cursor: str | None


class ProjectService:
    """What clients may learn and say of projects."""

    def __init__(self, projects: Projects, max_concurrent: int) -> None:
        """`max_concurrent` is the cluster's default; 0 is no limit."""
        self._projects = projects
        self._max_concurrent = max_concurrent

    def page(self, after: str | None, limit: int) -> ProjectPage:
        """The projects that have records or a description, by name, those behind the name `after`."""
        names = self._projects.store.names(after, limit + 1)
        shown = names[:limit]
        items = self._states(shown) if shown else []
        return ProjectPage(items=items, next_cursor=shown[-1] if len(names) > limit else None)

    def get(self, name: str) -> ProjectState:
        """A project, whether or not there is anything of it."""
        return self._states([name])[0]

    def create(self, name: str, description: str) -> ProjectState:
        """Make a project known before it has any record; raises Conflict where somebody has described it."""
        described = ProjectDescription(description=description, created_at=time.time())
        if not self._projects.describe(name, described, anew=True):
            raise Conflict(
                f"There is a project {name!r} already.", errors={"name": ["one that is not taken"]}
            )
        return self.get(name)

    def describe(self, name: str, description: str) -> ProjectState:
        """Say what a project is for."""
        known = self._projects.store.description(name)
        created_at = known.created_at if known else time.time()
        described = ProjectDescription(description=description, created_at=created_at)
        self._projects.describe(name, described, anew=False)
        return self.get(name)

    def limit(self, name: str, max_concurrent: int | None) -> ProjectState:
        """Set how many runs of a project may train at once; None is the cluster's default."""
        self._projects.set_limit(name, max_concurrent)
        return self.get(name)

    def _states(self, names: Sequence[str]) -> list[ProjectState]:
        """Of all of them by as many calls to the store as of one."""
        store = self._projects.store
        found = zip(
            names, store.contents(names), self._projects.limits(names), store.several(names), strict=True
        )
        return [self._state(*one) for one in found]

    def _state(
        self, name: str, contents: ProjectContents, own: int | None, described: ProjectDescription | None
    ) -> ProjectState:
        return ProjectState(
            name=name,
            description=described.description if described else "",
            created_at=described.created_at if described else None,
            max_concurrent=own,
            effective=own or self._max_concurrent or None,
            runs=contents.runs,
            datasets=contents.datasets,
            newest_at=contents.newest_at,
        )
