"""What is set for a project: how many of its runs may train at once."""

from trainyard.storage.files import Storage, read_json, write_json
from trainyard.store.limits import LimitStore


class ProjectLimits:
    """Redis holds the limits, where a claim looks; storage mirrors them in one file."""

    def __init__(self, store: LimitStore, storage: Storage) -> None:
        self._store = store
        self._file = storage.projects

    def get(self, project: str) -> int | None:
        """The project's own limit, or None; raises StoreUnavailable."""
        return self._store.get(project)

    def set(self, project: str, limit: int | None) -> None:
        """Set a project's own limit, or None for the yard's default.

        It holds from the next claim on. Raises StoreUnavailable and StorageUnavailable.
        """
        self._store.set(project, limit)
        self._mirror()

    def restore(self) -> None:
        """Give a Redis without limits those of storage; raises StoreUnavailable and StorageUnavailable."""
        if self._file.exists() and not self._store.are_known():
            self._store.fill(read_json(self._file)["max_concurrent"])

    def _mirror(self) -> None:
        """Whoever writes the file last has seen the newest limits: each looks again after writing."""
        written = None
        while written != (present := self._store.all()):
            write_json(self._file, {"max_concurrent": present})
            written = present
