"""A Redis that answers questions and takes no writes."""

from trainyard.store.connection import connect

REFUSALS = ("full", "read-only")
"""Why it refuses: it has no memory left, or takes itself for a replica."""


def refuse_writes(url: str, why: str) -> None:
    """Let it refuse until `take_writes`, or its next start."""
    client = connect(url)
    if why == "full":
        client.config_set("maxmemory", "1")
    else:
        client.replicaof("127.0.0.1", 1)


def take_writes(url: str) -> None:
    """End `refuse_writes`."""
    client = connect(url)
    client.config_set("maxmemory", "0")
    client.replicaof("NO", "ONE")
