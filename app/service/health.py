"""Whether this process can do its work."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from trainyard.errors import HousekeepingStalled
from trainyard.registry.base import Registry
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage
from trainyard.store.connection import Client, check_writes
from trainyard.store.worker_record import Housekeeping


class HealthService:
    """Asks what the API depends on."""

    def __init__(
        self,
        client: Client,
        storage: Storage,
        registries: Sequence[Registry[Any]],
        housekeeping: Callable[[], Housekeeping],
    ) -> None:
        self._client = client
        self._registries = registries
        self._housekeeping = housekeeping
        self._root = storage.root

    def check(self) -> None:
        """Raise StoreUnavailable unless Redis takes writes and knows all records, StorageUnavailable unless
        storage takes a file, and HousekeepingStalled."""
        check_writes(self._client)
        for registry in self._registries:
            registry.require_complete()
        probe = self._root / f".probe.{secrets.token_hex(4)}.tmp"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise storage_error("Storage cannot be written", error) from error
        if self._housekeeping().is_stalled:
            raise HousekeepingStalled()
