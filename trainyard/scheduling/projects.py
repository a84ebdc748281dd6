"""What is set and said of projects: how many of their runs may train at once, and what they are for."""

from collections.abc import Sequence
from dataclasses import asdict

from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.store.resources.project_store import ProjectDescription, ProjectStore
from trainyard.store.runs.limits import LimitStore


class Projects:
    """Redis holds limits, where a claim looks, and descriptions; storage mirrors them in one file."""

    def __init__(self, limits: LimitStore, store: ProjectStore, storage: Storage) -> None:
        self.store = store
        self._limits = limits
        self._file = storage.projects

    def limit(self, project: str) -> int | None:
        """The project's own limit, or None; raises StoreUnavailable."""
        return self._limits.get(project)

    def limits(self, projects: Sequence[str]) -> list[int | None]:
        """As `limit`, of each of these, of which there is at least one."""
        return self._limits.several(projects)

    def set_limit(self, project: str, limit: int | None) -> None:
        """Set a project's own limit, or None for the cluster's default.

        It holds from the next claim on. Raises StoreUnavailable and StorageUnavailable.
        """
        self._limits.set(project, limit)
        self._mirror()

    def describe(self, project: str, described: ProjectDescription, *, anew: bool) -> bool:
        """Say what a project is for; with `anew` only where nobody has: whether it was kept.

        Raises StoreUnavailable and StorageUnavailable.
        """
        was_kept = self.store.describe(project, described, anew=anew)
        if was_kept:
            self._mirror()
        return was_kept

    def restore(self) -> None:
        """Give a Redis without limits, or without descriptions, those of storage; raises StoreUnavailable and
        StorageUnavailable. A file of an earlier release has no descriptions."""
        if not self._file.exists():
            return
        kept = read_json(self._file)
        if not self._limits.are_known():
            self._limits.fill(kept["max_concurrent"])
        if not self.store.descriptions():
            for name, described in kept.get("described", {}).items():
                self.store.describe(name, ProjectDescription(**described), anew=True)

    def _mirror(self) -> None:
        """Whoever writes the file last has seen the newest: each looks again after writing."""
        written = None
        while written != (present := self._present()):
            write_json(self._file, present)
            written = present

    def _present(self) -> dict[str, object]:
        described = self.store.descriptions()
        return {
            "max_concurrent": self._limits.all(),
            "described": {name: asdict(one) for name, one in described.items()},
        }
