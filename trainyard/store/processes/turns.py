"""Whose turn it is to do what one process of all does now and then."""

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors


class Turns:
    """Gives out turns; they last over the starts and ends of processes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def take(self, name: str, every_s: float) -> bool:
        """Whether the caller does it now: nobody has for so many seconds. Raises StoreUnavailable."""
        with store_errors():
            return bool(self._client.set(keys.turn(name), 1, nx=True, ex=round(every_s)))
