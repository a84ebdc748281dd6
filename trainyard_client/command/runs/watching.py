"""run watch: follow a run to its end, on a terminal, in a pipe, or as JSON lines."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.runs.watch_view import WatchView, epoch_line, event_line
from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.session import Session, connected

if TYPE_CHECKING:
    from trainyard_client.events import Event


@click.command()
@click.argument("run_id")
@connected
def watch(session: Session, run_id: str) -> int:
    """Follow the run to its end; Ctrl-C leaves it going."""
    return follow_to_end(session, run_id)


def follow_to_end(session: Session, run_id: str) -> int:
    """Show what happens until the run has ended; the status to end with."""
    try:
        events = session.client.runs.events(run_id)
        if session.output.as_json:
            for event in events:
                session.output.json_line({"id": event.id, **event.data})
        elif sys.stderr.isatty():
            _draw(session, run_id, events)
        else:
            _print(session, events)
    except KeyboardInterrupt:
        session.output.note(f"\nThe run goes on. Watch it again: trainyard run watch {run_id}")
        return exit_codes.INTERRUPTED
    run = session.client.runs.get(run_id)
    if not session.output.as_json:
        session.output.line(f"{run.id} is {run.status} after epoch {run.epoch} of {run.epochs}.")
        _explain(session, run.error)
    return exit_codes.of_run(run.status)


def _draw(session: Session, run_id: str, events: "Iterator[Event]") -> None:
    from rich.live import Live

    run = session.client.runs.get(run_id)
    view = WatchView(run.name or run.id, run.epochs, run.spec.checkpoints.monitor)
    with Live(view, console=session.output.notes, refresh_per_second=4, transient=True) as live:
        for event in events:
            view.add(event.name, event.data)
            text = _text(event)
            if text:
                live.console.print(text, markup=False)


def _print(session: Session, events: "Iterator[Event]") -> None:
    for event in events:
        text = _text(event)
        if text:
            session.output.line(text)


def _text(event: "Event") -> str | None:
    if event.name == "epoch":
        return epoch_line(event.data.get("metrics") or {})
    return event_line(event.name, event.data)


def _explain(session: Session, error: "dict[str, Any] | None") -> None:
    if error:
        session.output.line(f"{error.get('code')}: {error.get('message')}")
        if error.get("remedy"):
            session.output.line(f"    {error['remedy']}")
