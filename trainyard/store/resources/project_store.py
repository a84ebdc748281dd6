"""Which projects there are, what they are for, and what they have."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from trainyard.runs.record import RunStatus
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors


@dataclass(frozen=True, kw_only=True)
class ProjectDescription:
    """What somebody has said of a project, and when it was made, in seconds since 1970, UTC."""

    description: str
    created_at: float


@dataclass(frozen=True, kw_only=True)
class ProjectContents:
    """How many runs a project has by status, those that there are, how many data sets, and when the newest of
    both was made, in seconds since 1970; None without any."""

    runs: Mapping[str, int]
    datasets: int
    newest_at: float | None


class ProjectStore:
    """The projects, by name."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def names(self, after: str | None, limit: int) -> list[str]:
        """Names in the order of their code points, those that come after one."""
        first = "-" if after is None else f"({after}"
        with store_errors():
            found = self._client.zrangebylex(keys.PROJECTS, first, "+", start=0, num=limit)
        return cast("list[str]", found)

    def add(self, names: Iterable[str]) -> None:
        """Make these known; they are forgotten with their last record."""
        scores = dict.fromkeys(names, 0)
        if scores:
            with store_errors():
                self._client.zadd(keys.PROJECTS, scores)

    def describe(self, name: str, described: ProjectDescription, *, anew: bool) -> bool:
        """Keep a description; with `anew` only where there is none: whether it was kept."""
        with store_errors():
            write = self._client.hsetnx if anew else self._client.hset
            made = write(keys.PROJECT_DESCRIPTIONS, name, json.dumps(asdict(described)))
            self._client.zadd(keys.PROJECTS, {name: 0})
        return bool(made) or not anew

    def description(self, name: str) -> ProjectDescription | None:
        """What is said of a project, None where nobody has."""
        return self.several([name])[0]

    def several(self, names: Sequence[str]) -> list[ProjectDescription | None]:
        """What is said of each of these, of which there is at least one."""
        with store_errors():
            texts = cast("list[str | None]", self._client.hmget(keys.PROJECT_DESCRIPTIONS, list(names)))
        return [_read(text) if text else None for text in texts]

    def descriptions(self) -> dict[str, ProjectDescription]:
        """Of all projects that have one."""
        with store_errors():
            found = cast("dict[str, str]", self._client.hgetall(keys.PROJECT_DESCRIPTIONS))
        return {name: _read(text) for name, text in found.items()}

    def is_known(self, name: str) -> bool:
        """Whether it has records or a description."""
        with store_errors():
            return self._client.zscore(keys.PROJECTS, name) is not None

    def contents(self, names: Sequence[str]) -> list[ProjectContents]:
        """What each of the projects has."""
        with store_errors():
            asked = self._client.pipeline(transaction=False)
            for name in names:
                for status in RunStatus:
                    asked.zcard(keys.index("run", status, name))
                asked.zcard(keys.index("dataset", None, name))
                for kind in ("run", "dataset"):
                    asked.zrevrange(keys.index(kind, None, name), 0, 0, withscores=True)
            answers = iter(asked.execute())
        return [_contents([next(answers) for _ in range(len(RunStatus) + 3)]) for _ in names]


def _contents(answers: list[object]) -> ProjectContents:
    *counts, datasets, run, dataset = answers
    newest = [us for found in (run, dataset) for _, us in cast("list[tuple[str, float]]", found)]
    by_status = dict(zip(RunStatus, cast("list[int]", counts), strict=True))
    return ProjectContents(
        runs={status.value: count for status, count in by_status.items() if count},
        datasets=cast("int", datasets),
        newest_at=max(newest) / 1e6 if newest else None,
    )


def _read(text: str) -> ProjectDescription:
    data = json.loads(text)
    return ProjectDescription(description=data["description"], created_at=data["created_at"])
