"""How many runs of a project may train at once, where it has a limit of its own."""

from collections.abc import Mapping, Sequence
from typing import cast

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors


class LimitStore:
    """Limits by project; None is for a project that has the cluster's default again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._key = keys.limits("run")

    def get(self, project: str) -> int | None:
        """The project's own limit, or None."""
        return self.several([project])[0]

    def several(self, projects: Sequence[str]) -> list[int | None]:
        """The own limit of each of these, of which there is at least one."""
        with store_errors():
            texts = cast("list[str | None]", self._client.hmget(self._key, list(projects)))
        return [int(text) if text else None for text in texts]

    def set(self, project: str, limit: int | None) -> None:
        """Give a project a limit of its own, or the default again; it stays known either way."""
        with store_errors():
            self._client.hset(self._key, project, "" if limit is None else limit)

    def all(self) -> dict[str, int | None]:
        """Every project that ever had a limit of its own."""
        with store_errors():
            found = cast("dict[str, str]", self._client.hgetall(self._key))
        return {project: int(text) if text else None for project, text in found.items()}

    def are_known(self) -> bool:
        """Whether this Redis knows of any."""
        with store_errors():
            return bool(self._client.exists(self._key))

    def fill(self, limits: Mapping[str, int | None]) -> None:
        """Set those of which nothing is known."""
        with store_errors():
            pipeline = self._client.pipeline()
            for project, limit in limits.items():
                pipeline.hsetnx(self._key, project, "" if limit is None else str(limit))
            pipeline.execute()
