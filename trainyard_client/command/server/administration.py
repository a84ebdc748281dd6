"""key and admin: who may do what, and room on the storage."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import shown_bytes
from trainyard_client.command.terminal.session import Session, connected, quiet_option

if TYPE_CHECKING:
    from trainyard_client.records import Key, PrunedRun

ROLES = ("viewer", "trainer", "admin")


@click.group(cls=Group)
def key() -> None:
    """Make, list and revoke access keys."""


@key.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(ROLES), default="trainer", show_default=True, help="What it may do."
)
@click.option("--project", "projects", multiple=True, help="Only in this project; may be given again.")
@click.option("--expires", type=click.DateTime(), help="When it ends by itself, in the time of this machine.")
@quiet_option
@connected
def create(
    session: Session, name: str, role: str, projects: tuple[str, ...], expires: datetime | None, quiet: bool
) -> None:
    """Make a key called NAME, and print it: it is shown this once. With -q the key alone."""
    ends = expires.astimezone() if expires else None
    made = session.client.keys.create(name, role, projects, ends)
    if session.output.as_json:
        session.output.document(made.raw)
    elif quiet:
        session.output.line(made.key)
    else:
        session.output.pairs({"id": made.id, "name": made.name, "role": made.role, "key": made.key})


@key.command("ls")
@connected
def list_keys(session: Session) -> None:
    """List the keys; the keys themselves are not kept."""
    columns = ("id", "name", "role", "projects", "created", "expires", "revoked", "last used")
    session.output.records(session.client.keys.list(), columns, _key_row, "There is no key.")


@key.command()
@click.argument("key_ids", nargs=-1, required=True)
@connected
def revoke(session: Session, key_ids: tuple[str, ...]) -> None:
    """Let keys be accepted no more, from the next request on."""
    for key_id in key_ids:
        session.client.keys.revoke(key_id)
        session.output.note(f"{key_id} is revoked.")


@click.group(cls=Group)
def admin() -> None:
    """See what takes room on the storage and free it; rebuild Redis from it."""


@admin.command()
@click.option("--project", help="Only of this project.")
@click.option("--limit", default=20, show_default=True, help="At most so many, the largest.")
@connected
def usage(session: Session, project: str | None, limit: int) -> None:
    """List the runs and data sets whose files take most."""
    found = session.client.admin.usage(project=project, limit=limit)
    columns = ("id", "name", "project", "size")
    session.output.records(
        found,
        columns,
        lambda one: (one.id, one.name, one.project, shown_bytes(one.bytes)),
        "Nothing takes room.",
    )


@admin.command()
@click.option("--older-than", metavar="DAYS", type=float, required=True, help="Runs that ended longer ago.")
@click.option("--project", help="Only of this project.")
@click.option("--status", "statuses", multiple=True, help="Only in this status; may be given again.")
@click.option("--keep-best", type=int, help="Of each project keep so many, whatever their age.")
@click.option("--metric", help="By which they are the best; val_miou by default.")
@click.option("--keep-tag", "keep_tags", multiple=True, help="Keep runs with this tag; may be given again.")
@click.option("--delete", is_flag=True, help="Delete them; without this they are only listed.")
@connected
def prune(
    session: Session,
    older_than: float,
    statuses: tuple[str, ...],
    keep_tags: tuple[str, ...],
    delete: bool,
    **which: Any,
) -> int:
    """List the runs that ended long ago, or --delete them with their files.

    Ends with status 1 where one could not be deleted.
    """
    lists = {"statuses": list(statuses) or None, "keep_tags": list(keep_tags) or None}
    pruned = session.client.admin.prune(older_than, dry_run=not delete, **lists, **which)
    failed = any(one.error for one in pruned.items)
    if session.output.as_json:
        session.output.document(pruned.raw)
        return exit_codes.FAILURE if failed else exit_codes.DONE
    columns = ("id", "name", "project", "status", "ended", "size", "")
    session.output.table(columns, map(_pruned_row, pruned.items), "No run is that old.")
    if pruned.items:
        done = "freed" if delete else "would be freed; --delete does it"
        session.output.note(f"{shown_bytes(pruned.bytes)} {done}.")
    if pruned.more:
        session.output.note("There are more of them: call it again.")
    return exit_codes.FAILURE if failed else exit_codes.DONE


@admin.command()
@connected
def reindex(session: Session) -> int:
    """Compare every record in storage with Redis: the higher revision wins. Safe at any time.

    A server does so by itself when Redis was emptied. Ends with status 1 where a record could not be read.
    """
    found = session.client.admin.reindex()
    if session.output.as_json:
        session.output.document(found.raw)
    else:
        counts = sorted((found.counts or {}).items())
        session.output.line(", ".join(f"{count} {name}" for name, count in counts) or "no records")
        for problem in found.problems or ():
            session.output.note(problem)
    return exit_codes.FAILURE if found.problems else exit_codes.DONE


def _key_row(one: "Key") -> tuple[Any, ...]:
    projects = ", ".join(one.projects or ()) or "all"
    times = (one.created_at, one.expires_at, one.revoked_at, one.last_used_at)
    return one.id, one.name, one.role, projects, *times


def _pruned_row(one: "PrunedRun") -> tuple[Any, ...]:
    trouble = one.error.message if one.error else ""
    return one.id, one.name, one.project, one.status, one.ended_at, shown_bytes(one.bytes), trouble
