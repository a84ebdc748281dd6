"""The use case of curves: metrics of several runs, only what is new, with as many points as can be drawn."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from trainyard.errors import InvalidRequest
from trainyard.registry.runs import RunRegistry
from trainyard.runs.downsampling import extremes
from trainyard.runs.record import Run
from trainyard.storage.files import Storage
from trainyard.storage.metric_rows import read_rows

_POSITION = re.compile(r"(run-[0-9a-f]{12}):([0-9]{1,9}):([0-9]{1,9})\Z")
_COORDINATES = frozenset({"epoch", "step", "epoch_seconds"})


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far a run's rows are known: those of this attempt, up to this epoch."""

    attempt: int
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points of one metric of one run, in order: at which epoch and step, and how many seconds of training it
    took to get there.

    A value that is no finite number is a gap: the metric was computed and is none. `restart` says that the
    points begin at the first epoch and take the place of all earlier ones.
    """

    run_id: str
    name: str
    restart: bool
    epochs: list[int]
    steps: list[int]
    seconds: list[float]
    values: list[float]


class MetricSeriesService:
    """Reads the rows of runs as curves."""

    def __init__(self, runs: RunRegistry, storage: Storage) -> None:
        self._runs = runs
        self._storage = storage

    def read(
        self, run_ids: Sequence[str], names: Sequence[str] | None, since: str | None, max_points: int
    ) -> tuple[list[Series], str]:
        """Points that are later than `since`, and what to give as `since` the next time.

        `names` are columns of the rows; None takes all but those of single classes. Raises NotFound,
        InvalidRequest for a `since` that is none, StorageUnavailable.
        """
        known = parse_positions(since)
        found: list[Series] = []
        for run_id in run_ids:
            run = self._runs.get(run_id)
            before = known.get(run_id)
            rows = self._rows(run, before)
            is_same = before is not None and before.attempt == run.metrics_of
            first = before.epoch if before and is_same else 0
            found += _series(run_id, rows, first, names, max_points, restart=not is_same)
            known[run_id] = Position(attempt=run.metrics_of, epoch=rows[-1]["epoch"] if rows else first)
        return found, ",".join(
            f"{one}:{known[one].attempt}:{known[one].epoch}" for one in dict.fromkeys(run_ids)
        )

    def _rows(self, run: Run, before: Position | None) -> list[dict[str, Any]]:
        """All rows; none, without a look at the file, where the record says that there is nothing later."""
        if before == Position(attempt=run.metrics_of, epoch=run.epoch):
            return []
        return read_rows(self._storage.run(run.id), run.metrics_of)


def parse_positions(text: str | None) -> dict[str, Position]:
    """What an earlier answer gave as `since`; raises InvalidRequest for anything else."""
    found = {}
    for part in text.split(",") if text else []:
        match = _POSITION.match(part)
        if match is None:
            raise InvalidRequest(
                "This is no `since` that an earlier answer gave.", errors={"since": ["leave it out for all"]}
            )
        found[match[1]] = Position(attempt=int(match[2]), epoch=int(match[3]))
    return found


def _series(
    run_id: str,
    rows: Sequence[Mapping[str, Any]],
    first: int,
    names: Sequence[str] | None,
    max_points: int,
    *,
    restart: bool,
) -> Iterator[Series]:
    """Of each name that the rows have; an epoch for which it was not computed is no point of it."""
    took = list(accumulate(row.get("epoch_seconds") or 0.0 for row in rows))
    for name in _all_names(rows) if names is None else names:
        points = [
            (row, seconds)
            for row, seconds in zip(rows, took, strict=True)
            if row["epoch"] > first and row.get(name) is not None
        ]
        chosen = [points[place] for place in extremes([row[name] for row, _ in points], max_points)]
        if chosen or restart:
            yield Series(
                run_id=run_id,
                name=name,
                restart=restart,
                epochs=[row["epoch"] for row, _ in chosen],
                steps=[row["step"] for row, _ in chosen],
                seconds=[seconds for _, seconds in chosen],
                values=[row[name] for row, _ in chosen],
            )


def _all_names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = dict.fromkeys(name for row in rows for name in row)
    return [name for name in columns if name not in _COORDINATES and "/" not in name]
