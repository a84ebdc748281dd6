"""open: a run's report in the browser, or the description of the server's API."""

import tempfile
import webbrowser
from pathlib import Path

import click

from trainyard_client.command.terminal.session import Session, connected
from trainyard_client.errors import NotFound

REPORT = "report.html"


@click.command("open")
@click.argument("run", required=False)
@connected
def open(session: Session, run: str | None) -> None:
    """Open the report of RUN in the browser; without RUN, the description of the server's API.

    A run is named by its id, or by its folder where it is an experiment on this machine: runs/exp1. The
    address is printed, too; with --json nothing is opened.
    """
    address = _report(session, run).resolve().as_uri() if run else f"{session.connection.url.value}/docs"
    if session.output.as_json:
        session.output.document({"url": address})
        return
    session.output.line(address)
    webbrowser.open(address)


def _report(session: Session, run: str) -> Path:
    """The file of the report; one of a server is taken from there, and left for the browser to read."""
    if (folder := Path(run)).is_dir():
        if not (folder / REPORT).is_file():
            raise NotFound(f"{folder} has no report yet.", remedy="A completed training leaves one.")
        return folder / REPORT
    target = Path(tempfile.mkdtemp(prefix="trainyard-")) / f"{run}.html"
    return session.client.runs.download_artifact(run, REPORT, target)
