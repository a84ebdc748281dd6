"""Tells a Redis, before it is stopped, that nobody holds anything: its next start need not wait."""

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors


def mark_clean_stop(client: Client) -> bool:
    """Write the mark unless a lease is out; raises StoreUnavailable.

    Either way the next start has all records that this Redis has: they need not be compared with storage.
    """
    with store_errors():
        client.set(keys.STOPPED, str(client.info("server")["run_id"]))
        if any(client.zcard(keys.leases(kind)) for kind in ("run", "dataset")):
            return False
        seconds, us = client.time()
        client.set(keys.CLEAN_STOP, seconds * 1_000_000 + us)
        return True
