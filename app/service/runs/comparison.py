"""The use case of comparing runs: what differs in their settings, and what their metrics came to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import MetricSummary, Run
from trainyard.tasks.registry import direction_of, monitors

_OF_THE_RECORD = ("dataset_id", "dataset_hash", "experiment", "queue", "epochs", "forked_from")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting that is not the same in all runs: its name, nested by dots, and the value in each."""

    name: str
    values: list[Any]


@dataclass(frozen=True, kw_only=True)
class MetricComparison:
    """A metric that some of the runs have: its summary in each, None where it has none; the best run's id.

    `direction` is `max` where higher is better, else `min`.
    """

    name: str
    direction: str
    summaries: list[MetricSummary | None]
    best_run: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs beside each other, in the order asked for, as all lists in it are."""

    runs: list[Run]
    settings: list[Setting]
    metrics: list[MetricComparison]


class RunComparisonService:
    """Compares runs."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    def compare(self, run_ids: Sequence[str]) -> Comparison:
        """The runs beside each other; raises NotFound and Unreadable."""
        runs = self._runs.several(run_ids)
        return Comparison(runs=runs, settings=list(_settings(runs)), metrics=list(_metrics(runs)))


def _settings(runs: Sequence[Run]) -> Iterator[Setting]:
    """Those that differ; of the epochs the present targets count, not what was submitted."""
    found = [dict(dotted(_asked(run))) for run in runs]
    for name in dict.fromkeys(name for one in found for name in one):
        values = [one.get(name) for one in found]
        if any(value != values[0] for value in values):
            yield Setting(name=name, values=values)


def _asked(run: Run) -> dict[str, Any]:
    origin = run.forked_from and f"{run.forked_from.run_id} {run.forked_from.checkpoint}"
    record = {name: getattr(run, name) for name in _OF_THE_RECORD} | {"forked_from": origin}
    spec = {name: value for name, value in run.spec.to_dict().items() if name not in ("epochs", "version")}
    return record | {"spec": spec}


def dotted(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by their dotted names; a list is one."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from dotted(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _metrics(runs: Sequence[Run]) -> Iterator[MetricComparison]:
    of_plugins = {name for run in runs for name in run.metrics} - monitors().keys()
    for name in (*monitors(), *sorted(of_plugins)):
        direction = direction_of(name)
        known = [(run.metrics[name].best, run.id) for run in runs if name in run.metrics]
        if known:
            best = max(known, key=lambda one: one[0] if direction == "max" else -one[0])
            summaries = [run.metrics.get(name) for run in runs]
            yield MetricComparison(name=name, direction=direction, summaries=summaries, best_run=best[1])
