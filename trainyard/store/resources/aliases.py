"""Other names for ids, numbers that never repeat, and small shared sets."""

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors

IMPORTED_SPACE = "imported"
"""Experiments by their project here and their id where they were trained: the runs that they have become."""
STUDY_SPACE = "study"
"""The names of the older study service; a run carries its own under the label of the same name."""


class NameStore:
    """Names of one space, such as `study`."""

    def __init__(self, client: Client, space: str) -> None:
        self._client = client
        self._space = space

    def next_number(self, name: str, at_least: int = 1) -> int:
        """The next number under that name; never the same twice, never below `at_least`."""
        with store_errors():
            key = keys.count(self._space, name)
            self._client.set(key, at_least - 1, nx=True)
            return int(self._client.incr(key))

    def bind(self, alias: str, record_id: str) -> bool:
        """Give an id another name; False where the name is taken."""
        with store_errors():
            return bool(self._client.set(keys.alias(self._space, alias), record_id, nx=True))

    def resolve(self, alias: str) -> str | None:
        """The id behind a name, or None."""
        with store_errors():
            found = self._client.get(keys.alias(self._space, alias))
        return str(found) if found else None

    def members(self, name: str) -> set[str]:
        """The members of a shared set."""
        with store_errors():
            found = self._client.smembers(keys.shared_set(f"{self._space}:{name}"))
        return {str(member) for member in found}

    def add(self, name: str, member: str) -> bool:
        """Add a member; False where it was there."""
        with store_errors():
            return bool(self._client.sadd(keys.shared_set(f"{self._space}:{name}"), member))

    def discard(self, name: str, member: str) -> bool:
        """Remove a member; False where it was not there."""
        with store_errors():
            return bool(self._client.srem(keys.shared_set(f"{self._space}:{name}"), member))
