"""webhook: who is told when a run changes its status, and what was sent."""

from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import first
from trainyard_client.command.terminal.session import Session, connected, quiet_option

if TYPE_CHECKING:
    from trainyard_client.records import Delivery, Webhook


@click.group(cls=Group)
def webhook() -> None:
    """Let an address of yours be told when runs change their status."""


@webhook.command()
@click.argument("project")
@click.argument("address", metavar="URL")
@click.option("--on", "statuses", multiple=True, help="Only of runs that enter this status; again for more.")
@click.option("--description", help="What it is for.")
@connected
def create(
    session: Session,
    project: str,
    address: str,
    statuses: tuple[str, ...],
    description: str | None,
) -> None:
    """Tell URL of the runs of PROJECT, and print the secret that signs: it is shown this once."""
    made = session.client.webhooks.create(project, address, statuses, description)
    if session.output.as_json:
        session.output.document(made.raw)
    else:
        session.output.pairs({"id": made.id, "url": made.url, "secret": made.secret})


@webhook.command("ls")
@click.option("--project", help="Only of this project.")
@quiet_option
@connected
def list_webhooks(session: Session, project: str | None, quiet: bool) -> None:
    """List webhooks, newest first."""
    found = list(session.client.webhooks.list(project=project))
    if quiet:
        session.output.ids(found)
        return
    columns = ("id", "project", "status", "url", "on", "created")
    session.output.records(found, columns, _row, "There is no webhook.")


@webhook.command()
@click.argument("webhook_id")
@connected
def pause(session: Session, webhook_id: str) -> None:
    """Tell it nothing until it is resumed, and not later either."""
    session.client.webhooks.change(webhook_id, status="paused")
    session.output.note(f"{webhook_id} is paused.")


@webhook.command()
@click.argument("webhook_id")
@connected
def resume(session: Session, webhook_id: str) -> None:
    """Tell it of what happens from now on."""
    session.client.webhooks.change(webhook_id, status="active")
    session.output.note(f"{webhook_id} is active.")


@webhook.command()
@click.argument("webhook_id")
@connected
def test(session: Session, webhook_id: str) -> None:
    """Send it a `ping`; `trainyard webhook log` tells what came of it."""
    _sent(session, session.client.webhooks.test(webhook_id))


@webhook.command()
@click.argument("webhook_id")
@click.option("--limit", default=30, show_default=True, help="At most so many, the newest.")
@connected
def log(session: Session, webhook_id: str, limit: int) -> None:
    """List what it was and is to be told, newest first."""
    found = first(session.client.webhooks.deliveries(webhook_id), limit)
    columns = ("id", "event", "run", "status", "state", "tries", "answer", "next try")
    session.output.records(found, columns, _delivery_row, "It has been told nothing yet.")


@webhook.command()
@click.argument("webhook_id")
@click.argument("delivery_id")
@connected
def redeliver(session: Session, webhook_id: str, delivery_id: str) -> None:
    """Send what a delivery told once more."""
    _sent(session, session.client.webhooks.redeliver(webhook_id, delivery_id))


@webhook.command("rm")
@click.argument("webhook_ids", nargs=-1, required=True)
@connected
def remove(session: Session, webhook_ids: tuple[str, ...]) -> None:
    """Delete webhooks, with what they were not told yet."""
    for webhook_id in webhook_ids:
        session.client.webhooks.delete(webhook_id)
        session.output.note(f"{webhook_id} is deleted.")


def _sent(session: Session, found: "Delivery") -> None:
    if session.output.as_json:
        session.output.document(found.raw)
    else:
        session.output.line(f"{found.id} is {found.state}.")


def _row(item: "Webhook") -> tuple[Any, ...]:
    on = ", ".join(item.statuses or ()) or "any"
    return item.id, item.project, item.status, item.url, on, item.created_at


def _delivery_row(item: "Delivery") -> tuple[Any, ...]:
    data = item.data or {}
    answer = item.answer_status or item.error
    told = (data.get("id"), data.get("status"))
    return item.id, item.event, *told, item.state, item.attempts, answer, item.due_at
