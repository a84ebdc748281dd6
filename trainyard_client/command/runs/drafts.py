"""draft: runs that are saved, edited, checked, and submitted later."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.runs.assignments import dotted, run_options, spec_of
from trainyard_client.command.runs.runs import show_checked
from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import first
from trainyard_client.command.terminal.session import Session, connected, quiet_option

if TYPE_CHECKING:
    from trainyard_client.records import Draft


@click.group(cls=Group)
def draft() -> None:
    """Save runs without submitting them; edit, check and submit them later."""


@draft.command()
@click.argument("dataset_id", required=False)
@run_options
@quiet_option
@connected
def save(
    session: Session,
    dataset_id: str | None,
    spec_file: Path | None,
    assignments: tuple[str, ...],
    epochs: int | None,
    quiet: bool,
    **fields: Any,
) -> None:
    """Save what is known of a run, perhaps on DATASET_ID."""  # fmt: skip
    spec = spec_of(spec_file, assignments, epochs=epochs)
    made = session.client.drafts.save(dataset_id=dataset_id, spec=spec or None, **fields)
    if quiet:
        session.output.ids([made])
    else:
        _show(session, made)


@draft.command("ls")
@click.option("--project", help="Only of this project.")
@click.option("--limit", default=30, show_default=True, help="At most so many, the newest.")
@quiet_option
@connected
def list_drafts(session: Session, project: str | None, limit: int, quiet: bool) -> None:
    """List drafts, newest first."""
    found = first(session.client.drafts.list(project=project), limit)
    if quiet:
        session.output.ids(found)
        return
    columns = ("id", "name", "project", "data set", "experiment", "changed")
    session.output.records(found, columns, _row, "There is no draft.")


@draft.command()
@click.argument("draft_id")
@connected
def show(session: Session, draft_id: str) -> None:
    """Show a draft."""
    _show(session, session.client.drafts.get(draft_id))


@draft.command()
@click.argument("draft_id")
@click.option("--dataset", "dataset_id", help="Another data set.")
@run_options
@click.option("--unset", "removed", multiple=True, metavar="FIELD", help="Leave a field out from now on.")
@connected
def edit(
    session: Session,
    draft_id: str,
    spec_file: Path | None,
    assignments: tuple[str, ...],
    epochs: int | None,
    removed: tuple[str, ...],
    **fields: Any,
) -> None:
    """Change a draft: `--set` is laid over its spec, a file takes the place of it."""  # fmt: skip
    changes = {name: value for name, value in fields.items() if value is not None}
    if spec_file or assignments or epochs is not None:
        present = {} if spec_file else (session.client.drafts.get(draft_id).request or {}).get("spec", {})
        changes["spec"] = spec_of(spec_file, assignments, base=present, epochs=epochs)
    changed = session.client.drafts.change(draft_id, **changes, **dict.fromkeys(removed))
    _show(session, changed)


@draft.command()
@click.argument("draft_id")
@connected
def check(session: Session, draft_id: str) -> None:
    """Let the server check a draft: what run would come of it, or what it lacks."""
    show_checked(session, session.client.drafts.check(draft_id))
    session.output.note("The server would accept this run; the draft is not submitted.")


@draft.command()
@click.argument("draft_id")
@quiet_option
@connected
def submit(session: Session, draft_id: str, quiet: bool) -> None:
    """Make a run of a draft, which is gone then."""
    made = session.client.drafts.submit(draft_id)
    if quiet:
        session.output.ids([made])
    elif session.output.as_json:
        session.output.document(made.raw)
    else:
        session.output.line(f"{made.id} is {made.status}.")


@draft.command("rm")
@click.argument("draft_ids", nargs=-1, required=True)
@connected
def remove(session: Session, draft_ids: tuple[str, ...]) -> None:
    """Throw drafts away."""
    for draft_id in draft_ids:
        session.client.drafts.delete(draft_id)
        session.output.note(f"{draft_id} is deleted.")


def _row(item: "Draft") -> tuple[Any, ...]:
    asked = item.request or {}
    names = (asked.get(name) for name in ("dataset_id", "experiment"))
    return item.id, asked.get("name"), item.project, *names, item.changed_at


def _show(session: Session, found: "Draft") -> None:
    if session.output.as_json:
        session.output.document(found.raw)
        return
    session.output.pairs({"id": found.id, "project": found.project})
    for name, value in dotted(found.request or {}):
        session.output.pairs({f"  {name}": json.dumps(value)})
