"""Which records' files in storage are behind."""

from typing import cast

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors


class BehindMirrors:
    """Ids of records whose file could not be written, of one kind. Raises StoreUnavailable."""

    def __init__(self, client: Client, kind: str) -> None:
        self._client = client
        self._key = keys.behind(kind)

    def add(self, record_id: str) -> None:
        """Remember one."""
        with store_errors():
            self._client.sadd(self._key, record_id)

    def remove(self, record_id: str) -> None:
        """Forget one, before its file is written: whoever fails to, adds it again."""
        with store_errors():
            self._client.srem(self._key, record_id)

    def holds(self, record_id: str) -> bool:
        """Whether that one is behind."""
        with store_errors():
            return bool(self._client.sismember(self._key, record_id))

    def all(self) -> set[str]:
        """All of them."""
        with store_errors():
            return cast("set[str]", self._client.smembers(self._key))
