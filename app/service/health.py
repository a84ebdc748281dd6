"""Whether this process can do its work."""

import secrets

from trainyard.storage import Storage
from trainyard.storage_errors import storage_error
from trainyard.store.connection import Client, ping


class HealthService:
    """Asks what the API depends on."""

    def __init__(self, client: Client, storage: Storage) -> None:
        self._client = client
        self._root = storage.root

    def check(self) -> None:
        """Raise StoreUnavailable unless Redis answers, StorageUnavailable unless storage takes a file."""
        ping(self._client)
        probe = self._root / f".probe.{secrets.token_hex(4)}.tmp"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise storage_error("Storage cannot be written", error) from error
