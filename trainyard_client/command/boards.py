"""board: TensorBoard over runs of the server."""

import webbrowser
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.session import Session, connected, quiet_option

if TYPE_CHECKING:
    from trainyard_client.records import Board


@click.group(cls=Group)
def board() -> None:
    """Open TensorBoard over runs of the server, and close it."""


@board.command("open")
@click.argument("run_ids", nargs=-1, required=True, metavar="RUN_ID...")
@click.option("--browser/--no-browser", default=True, help="Whether the browser is opened, too.")
@connected
def open_board(session: Session, run_ids: tuple[str, ...], browser: bool) -> None:
    """Open TensorBoard over one or several runs; the address is printed.

    It ends when nobody has looked at it for 15 minutes. With --json nothing is opened.
    """
    found = session.client.boards.open(run_ids)
    if session.output.as_json:
        session.output.document(found.raw)
        return
    address = f"{session.connection.url.value}{found.url}"
    session.output.line(address)
    if browser:
        webbrowser.open(address)


@board.command("ls")
@quiet_option
@connected
def list_boards(session: Session, quiet: bool) -> None:
    """List boards, the oldest first."""
    found = session.client.boards.list()
    if quiet:
        session.output.ids(found)
        return
    session.output.records(found, ("id", "status", "runs", "opened"), _row, "There is no board.")


@board.command()
@click.argument("board_ids", nargs=-1, required=True, metavar="BOARD_ID...")
@connected
def close(session: Session, board_ids: tuple[str, ...]) -> None:
    """Close boards before nobody looks at them."""
    for board_id in board_ids:
        session.client.boards.close(board_id)
        session.output.note(f"{board_id} is closed.")


def _row(item: "Board") -> tuple[Any, ...]:
    return item.id, item.status, ", ".join(item.runs), item.created_at
