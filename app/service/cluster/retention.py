"""Use cases of an admin who needs room: what takes how much, and old runs deleted."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from trainyard.errors import TrainyardError
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.lifecycle import RunLife
from trainyard.registry.models import ModelQuery, ModelRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import ACTIVE, Run, RunStatus
from trainyard.storage.files import Storage
from trainyard.storage.sizes import folder_bytes
from trainyard.store.runs.run_lists import RunQuery
from trainyard.tasks.registry import monitors

ENDED = tuple(status for status in RunStatus if status not in ACTIVE)
DAY_S = 24 * 3600.0
_PAGE = 200


@dataclass(frozen=True, kw_only=True)
class PruneRequest:
    """Runs that ended more than `older_than_days` ago with one of `statuses`, in a project or all.

    Kept are the `keep_best` best of each project by `metric`, and runs with one of `keep_tags`. At most
    `limit` runs are looked for at once. A dry run deletes nothing.
    """

    older_than_days: float
    statuses: tuple[str, ...] = ENDED
    project: str | None = None
    keep_best: int = 0
    metric: str = "val_miou"
    keep_tags: frozenset[str] = frozenset()
    limit: int = 200
    is_dry: bool = True


@dataclass(frozen=True, kw_only=True)
class PrunedRun:
    """A run that is deleted, or would be: its files' bytes, and why it was left where it was."""

    run: Run
    bytes: int
    error: TrainyardError | None = None


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """Runs, oldest end first; `has_more` says that there are others."""

    items: list[PrunedRun]
    has_more: bool


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one record's files take."""

    id: str
    kind: str
    project: str
    name: str
    bytes: int


class RetentionService:
    """Finds and frees room."""

    def __init__(
        self,
        runs: RunRegistry,
        datasets: DatasetRegistry,
        models: ModelRegistry,
        life: RunLife,
        storage: Storage,
    ) -> None:
        self._runs = runs
        self._datasets = datasets
        self._models = models
        self._life = life
        self._storage = storage

    def usage(self, project: str | None, most: int) -> list[Usage]:
        """The runs, data sets and models that take most room; goes through all folders.

        A file that a model shares with its run counts for both.
        """
        found = [*self._runs_usage(project), *self._datasets_usage(project), *self._models_usage(project)]
        return sorted(found, key=lambda one: one.bytes, reverse=True)[:most]

    def prune(self, request: PruneRequest) -> Pruned:
        """Delete what the request names, or only say what that would be; raises StoreUnavailable."""
        found: list[Run] = []
        best: dict[str, set[str]] = {}
        for run in self._ended_before(request, time.time() - request.older_than_days * DAY_S):
            if run.project not in best:
                best[run.project] = self._best(run.project, request)
            if run.id in best[run.project] or request.keep_tags & {*run.tags}:
                continue
            if len(found) == request.limit:
                return Pruned(items=[self._pruned(one, request.is_dry) for one in found], has_more=True)
            found.append(run)
        return Pruned(items=[self._pruned(one, request.is_dry) for one in found], has_more=False)

    def _pruned(self, run: Run, is_dry: bool) -> PrunedRun:
        size = folder_bytes(self._storage.run(run.id).path)
        error = None
        if not is_dry:
            try:
                self._life.remove(run.id)
            except TrainyardError as found:  # such as one that was resumed just now
                error = found
        return PrunedRun(run=run, bytes=size, error=error)

    def _ended_before(self, request: PruneRequest, before: float) -> Iterator[Run]:
        query = RunQuery(
            statuses=request.statuses, project=request.project, sort="ended_at", descending=False
        )
        for run in self._all(query):
            if run.ended_at is None or run.ended_at >= before:
                return
            yield run

    def _best(self, project: str, request: PruneRequest) -> set[str]:
        """Ids of the best runs of a project, which it keeps; those without the metric are none."""
        if not request.keep_best:
            return set()
        is_lower_better = monitors()[request.metric] == "min"
        query = RunQuery(project=project, sort=f"best.{request.metric}", descending=not is_lower_better)
        page = self._runs.select(replace(query, limit=request.keep_best))
        return {run.id for run in page.readable if request.metric in run.metrics}

    def _all(self, query: RunQuery) -> Iterator[Run]:
        """All runs of a list. A page is read before what it holds may be deleted."""
        cursor: str | None = None
        while True:
            page = self._runs.select(replace(query, cursor=cursor, limit=_PAGE))
            yield from page.readable
            if (cursor := page.next_cursor) is None:
                return

    def _runs_usage(self, project: str | None) -> Iterator[Usage]:
        for run in self._all(RunQuery(project=project)):
            size = folder_bytes(self._storage.run(run.id).path)
            yield Usage(id=run.id, kind="run", project=run.project, name=run.name, bytes=size)

    def _datasets_usage(self, project: str | None) -> Iterator[Usage]:
        cursor: str | None = None
        while True:
            page = self._datasets.page(None, project, cursor, _PAGE)
            for one in page.readable:
                size = folder_bytes(self._storage.dataset(one.id).path)
                yield Usage(id=one.id, kind="dataset", project=one.project, name=one.name, bytes=size)
            if (cursor := page.next_cursor) is None:
                return

    def _models_usage(self, project: str | None) -> Iterator[Usage]:
        cursor: str | None = None
        while True:
            page = self._models.select(ModelQuery(project=project, cursor=cursor, limit=_PAGE))
            for one in page.readable:
                size = folder_bytes(self._storage.model(one.id).path)
                yield Usage(id=one.id, kind="model", project=one.project, name=one.name, bytes=size)
            if (cursor := page.next_cursor) is None:
                return
