"""What one process at a time may do, of all that share a Redis."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import LockError

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors


class Locks:
    """Locks that lapse by themselves, should their holder die."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @contextmanager
    def held(self, name: str, seconds: float) -> Iterator[None]:
        """Hold the lock of that name for the block, which takes less than `seconds`.

        Others wait for it as long; raises StoreUnavailable where it is not free then.
        """
        lock = self._client.lock(keys.lock(name), timeout=seconds, blocking_timeout=seconds)
        with store_errors():
            if not lock.acquire():
                raise LockError(f"The lock {name} is held.")
        try:
            yield
        finally:
            with suppress(LockError), store_errors():  # it has lapsed
                lock.release()
