"""What admins do: access keys, room on the storage, and Redis rebuilt from it."""

from collections.abc import Sequence
from datetime import datetime

from trainyard_client.decoding import decode
from trainyard_client.records import Key, MadeKey, Pruned, Reindexed, Usage
from trainyard_client.resources.paging import given
from trainyard_client.transport import Transport

KEYS = "/api/v1/keys"
REINDEX_S = 3600.0
"""Silence after which a comparison of Redis with storage is given up."""
ROOT = "/api/v1/admin"


class Keys:
    """Who may do what."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> list[Key]:
        """All of them, those that are accepted no more, too."""
        return [decode(Key, item) for item in self._transport.json("GET", KEYS)["items"]]

    def create(
        self, name: str, role: str, projects: Sequence[str] = (), expires_at: datetime | None = None
    ) -> MadeKey:
        """Make a key; its `key` is shown this once. `role` is viewer, trainer or admin."""
        ends = expires_at.isoformat() if expires_at else None
        body = {"name": name, "role": role, "projects": list(projects), **given({"expires_at": ends})}
        return decode(MadeKey, self._transport.json("POST", KEYS, json=body))

    def revoke(self, key_id: str) -> None:
        """Let it be accepted no more, from the next request on."""
        self._transport.json("DELETE", f"{KEYS}/{key_id}")


class Admin:
    """Upkeep."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def usage(self, *, project: str | None = None, limit: int = 100) -> list[Usage]:
        """The runs and data sets whose files take most, largest first."""
        query = {"limit": limit, **given({"project": project})}
        items = self._transport.json("GET", f"{ROOT}/usage", params=query)["items"]
        return [decode(Usage, item) for item in items]

    def prune(self, older_than_days: float, *, dry_run: bool = True, **which: object) -> Pruned:
        """Delete runs that ended long ago, or only say which that would be.

        `which` are project, statuses, keep_best, metric, keep_tags and limit of the API.
        """
        body = {"older_than_days": older_than_days, "dry_run": dry_run, **given(which)}
        return decode(Pruned, self._transport.json("POST", f"{ROOT}/prune", json=body))

    def reindex(self) -> Reindexed:
        """Have every record in storage compared with Redis; the higher revision wins. Safe at any time."""
        answer = self._transport.json("POST", f"{ROOT}/reindex", repeatable=True, timeout=REINDEX_S)
        return decode(Reindexed, answer)
