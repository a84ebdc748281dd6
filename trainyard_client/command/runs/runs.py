"""run: submit, list, show; the other commands of a run lie beside this module."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.runs import changes as run_changes
from trainyard_client.command.runs import results as run_results
from trainyard_client.command.runs.assignments import dotted, run_options, spec_of
from trainyard_client.command.runs.comparison import compare
from trainyard_client.command.runs.importing import import_runs
from trainyard_client.command.runs.scores import score_of_row
from trainyard_client.command.runs.watching import follow_to_end, watch
from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import first, shown_seconds
from trainyard_client.command.terminal.session import Session, connected, quiet_option

if TYPE_CHECKING:
    from trainyard_client.records import CheckedRun, Run, RunItem


@click.group(cls=Group)
def run() -> None:
    """Submit runs, watch and change them, take results away."""


@run.command()
@click.argument("dataset_id")
@run_options
@click.option("--key", help="Idempotency key: the same one again answers with the same run.")
@click.option("--watch", "is_watched", is_flag=True, help="Follow it to its end.")
@click.option(
    "--dry-run", "is_checked", is_flag=True, help="Let the server check it, show its spec, submit nothing."
)
@quiet_option
@connected
def submit(
    session: Session,
    dataset_id: str,
    experiment: str | None,
    spec_file: Path | None,
    assignments: tuple[str, ...],
    epochs: int | None,
    is_watched: bool,
    is_checked: bool,
    key: str | None,
    quiet: bool,
    **fields: Any,
) -> int:
    """Submit a run on DATASET_ID: an experiment, with a file and `--set` laid over it."""  # fmt: skip
    spec = spec_of(spec_file, assignments, epochs=epochs)
    if is_checked:
        if is_watched or key or quiet:
            raise click.UsageError("--dry-run makes no run to watch, to name or to find again by a key.")
        found = session.client.runs.check(dataset_id, experiment=experiment, spec=spec or None, **fields)
        show_checked(session, found)
        session.output.note("The server would accept this run; it is not submitted.")
        return exit_codes.DONE
    fields["key"] = key
    made = session.client.runs.submit(dataset_id, experiment=experiment, spec=spec or None, **fields)
    if is_watched:
        session.output.note(f"{made.id} is {made.status}.")
        return follow_to_end(session, made.id)
    if quiet:
        session.output.ids([made])
    else:
        _show(session, made)
    return exit_codes.DONE


@run.command("ls")
@click.option("--project", help="Only of this project.")
@click.option(
    "--status", help="Only in this status: queued, running, finishing, completed, stopped, failed, cancelled."
)
@click.option("--limit", default=30, show_default=True, help="At most so many, the newest.")
@quiet_option
@connected
def list_runs(session: Session, project: str | None, status: str | None, limit: int, quiet: bool) -> None:
    """List runs, newest first."""
    found = first(session.client.runs.list(project=project, status=status), limit)
    if quiet:
        session.output.ids(found)
        return
    columns = ("id", "name", "project", "status", "epoch", "model", "best", "created")
    session.output.records(found, columns, _row, "There is no run.")


@run.command()
@click.argument("run_id")
@connected
def show(session: Session, run_id: str) -> None:
    """Show a run: where it stands, why it waits or failed, its best epoch."""
    _show(session, session.client.runs.get(run_id))


for command in (watch, compare, import_runs, *run_changes.COMMANDS, *run_results.COMMANDS):
    run.add_command(command)


def _row(item: "RunItem") -> tuple[Any, ...]:
    model = f"{item.architecture} {item.encoder}" if item.architecture else None
    best = (item.result or {}).get("best") or {}
    epoch = f"{item.epoch}/{item.epochs}" if item.epochs is not None else None
    return item.id, item.name, item.project, item.status, epoch, model, score_of_row(best), item.created_at


def _show(session: Session, found: "Run") -> None:
    output = session.output
    if output.as_json:
        output.document(found.raw)
        return
    output.pairs(
        {
            "id": found.id,
            "name": found.name or None,
            "project": found.project,
            "status": found.status,
            "epoch": f"{found.epoch} of {found.epochs}",
            "data set": found.dataset_id,
            "model": f"{found.spec.model.architecture}, {found.spec.model.encoder}",
            "waits": _waiting(found),
            "time left": _time_left(found.progress.raw) if found.progress else None,
            "attempts": len(found.attempts) if found.attempts and len(found.attempts) > 1 else None,
            "best epoch": (found.result or {}).get("best_epoch"),
            "notes": found.notes or None,
        }
    )
    for name, value in ((found.result or {}).get("best") or {}).items():
        if name.startswith("val_"):
            output.pairs({f"  {name}": value})
    for notice in found.notices or ():
        output.line(f"notice: {notice}")
    if found.error:
        output.line(f"failed ({found.error.get('code')}): {found.error.get('message')}")
        output.line(f"    {found.error.get('remedy') or ''}".rstrip())


def show_checked(session: Session, found: "CheckedRun") -> None:
    """Print what a run would be."""
    output = session.output
    if output.as_json:
        output.document(found.raw)
        return
    output.pairs({"name": found.name, "project": found.project, "queue": found.queue, "epochs": found.epochs})
    for name, value in dotted(found.raw["spec"]):
        output.pairs({f"  {name}": json.dumps(value)})
    for notice in found.notices or ():
        output.line(f"notice: {notice}")


def _waiting(found: "Run") -> str | None:
    if found.waiting is None:
        return None
    return f"at place {found.waiting.position}: {found.waiting.reason.message}"


def _time_left(progress: Mapping[str, Any]) -> str | None:
    low, high = progress.get("eta_low_seconds"), progress.get("eta_high_seconds")
    return None if low is None or high is None else f"{shown_seconds(low)} to {shown_seconds(high)}"
