"""Whether this process can do its work."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from trainyard.errors import HousekeepingStalled, TrainyardError
from trainyard.registry.records import Records
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage
from trainyard.store.connection import Client, check_writes, ping
from trainyard.store.processes.worker_record import Housekeeping


class HealthService:
    """Asks what the API depends on."""

    def __init__(
        self,
        client: Client,
        storage: Storage,
        registries: Sequence[Records[Any]],
        housekeeping: Callable[[], Housekeeping],
    ) -> None:
        self._client = client
        self._registries = registries
        self._housekeeping = housekeeping
        self._root = storage.root
        self._parts: dict[str, Callable[[], None]] = {
            "redis": lambda: check_writes(self._client),
            "records": self._check_records,
            "storage": self._check_storage,
            "housekeeping": self._check_housekeeping,
        }

    def check(self) -> None:
        """Look at every part; raises the error of the first that is not ready: StoreUnavailable unless Redis
        takes writes and knows all records, StorageUnavailable unless storage takes a file, and
        HousekeepingStalled. Its `errors` name each part that is not, and why."""
        failures = {part: error for part, look in self._parts.items() if (error := _failure(look))}
        if failures:
            first = next(iter(failures.values()))
            first.errors = {part: [error.message] for part, error in failures.items()}
            raise first

    def require_store(self) -> None:
        """Raise StoreUnavailable unless Redis answers."""
        ping(self._client)

    @property
    def parts(self) -> list[str]:
        """What is looked at."""
        return list(self._parts)

    def _check_records(self) -> None:
        for registry in self._registries:
            registry.require_complete()

    def _check_storage(self) -> None:
        probe = self._root / f".probe.{secrets.token_hex(4)}.tmp"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise storage_error("Storage cannot be written", error) from error

    def _check_housekeeping(self) -> None:
        if self._housekeeping().is_stalled:
            raise HousekeepingStalled()


def _failure(look: Callable[[], None]) -> TrainyardError | None:
    try:
        look()
    except TrainyardError as error:
        return error
    return None
