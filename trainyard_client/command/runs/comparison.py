"""run compare: where the settings of runs differ, and what they came to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from trainyard_client.command.terminal.output import Output
from trainyard_client.command.terminal.session import Session, connected
from trainyard_client.errors import NotFound

RECORD = "run.json"


@click.command()
@click.argument("runs", nargs=-1, required=True)
@connected
def compare(session: Session, runs: tuple[str, ...]) -> None:
    """Show where the settings of RUNS differ, and their best epochs.

    A run is named by its id, or by its folder where it is an experiment on this machine: runs/exp1.
    """
    records = [
        read_local(Path(one)) if Path(one).is_dir() else session.client.runs.get(one).raw
        for one in dict.fromkeys(runs)
    ]
    show_comparison(session.output, records)


def read_local(folder: Path) -> Mapping[str, Any]:
    """The record of an experiment on this machine, in the form of a run's; raises NotFound."""
    try:
        record = json.loads((folder / RECORD).read_text())
    except (OSError, ValueError) as error:
        raise NotFound(f"{folder} holds no experiment: its {RECORD} cannot be read.") from error
    return {**record, "id": folder.name}


def show_comparison(output: Output, records: Sequence[Mapping[str, Any]]) -> None:
    """A table with a column for each run: settings that are not the same for all, then scores."""
    specs = [dict(_flat(record.get("spec") or {})) for record in records]
    names = list(dict.fromkeys(name for spec in specs for name in spec))
    differing = [name for name in names if len({repr(spec.get(name)) for spec in specs}) > 1]
    results = [dict(_flat((record.get("result") or {}).get("best") or {})) for record in records]
    scores = [name for name in dict.fromkeys(name for row in results for name in row) if _is_score(name)]
    if output.as_json:
        output.document(
            [
                {"id": record["id"], "name": record.get("name"), "status": record.get("status"),
                 "settings": {name: spec.get(name) for name in differing},
                 "best": {name: row.get(name) for name in scores}}
                for record, spec, row in zip(records, specs, results, strict=True)
            ]
        )  # fmt: skip
        return
    rows: list[list[Any]] = [[name, *(record.get(name) for record in records)] for name in ("name", "status")]
    rows += [[name, *(spec.get(name) for spec in specs)] for name in differing]
    rows += [[name, *(row.get(name) for row in results)] for name in ("epoch", *scores)]
    output.table(["", *(record["id"] for record in records)], rows, "")


def _is_score(name: str) -> bool:
    return name.startswith("val_")


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
