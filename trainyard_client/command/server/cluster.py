"""queue, worker, project: what waits, who works, how much a project may have."""

from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import shown_bytes
from trainyard_client.command.terminal.session import Session, connected

if TYPE_CHECKING:
    from trainyard_client.records import Project, Worker

NO_LIMIT = "none"


@click.group(cls=Group)
def queue() -> None:
    """See what waits, and why."""


@queue.command("ls")
@connected
def list_queues(session: Session) -> None:
    """List the queues, and for each project why its first run waits."""
    found = session.client.queues.list()
    if session.output.as_json:
        session.output.document([one.raw for one in found])
        return
    rows: list[tuple[object, ...]] = []
    for one in found:
        rows.append((one.name, len(one.workers), one.idle, len(one.in_work), one.waiting, ""))
        rows.extend(
            ("", "", "", of.running, of.waiting, f"{of.project}: {_reason(of.reason)}") for of in one.projects
        )
    columns = ("queue", "workers", "idle", "running", "waiting", "why")
    session.output.table(columns, rows, "There is no queue.")


@click.group(cls=Group)
def worker() -> None:
    """See who works."""


@worker.command("ls")
@connected
def list_workers(session: Session) -> None:
    """List the workers that are there."""
    columns = ("worker", "host", "queues", "device", "memory", "works on", "")
    empty = "No worker is there: `make up` or `make worker` starts one."
    session.output.records(session.client.workers.list(), columns, _worker_row, empty)


@worker.command()
@click.argument("worker_id", metavar="WORKER")
@click.option("--undo", is_flag=True, help="Let it take work again.")
@connected
def drain(session: Session, worker_id: str, undo: bool) -> None:
    """Have WORKER take nothing new; it ends what it has in work, and stays."""
    workers = session.client.workers
    found = workers.end_drain(worker_id) if undo else workers.drain(worker_id)
    if session.output.as_json:
        session.output.document(found.raw)
        return
    holds = f"; it goes on with {found.holds}" if found.holds else ""
    session.output.note(f"{found.id} takes {'work again' if undo else f'nothing new{holds}'}.")


@click.group(cls=Group)
def project() -> None:
    """See projects, say what they are for, set their limits."""


@project.command("ls")
@connected
def list_projects(session: Session) -> None:
    """List the projects that have runs, data sets or a description, by name."""
    columns = ("project", "running", "queued", "ended", "data sets", "newest", "at once", "")
    empty = "There is no project: the first run or data set makes one."
    session.output.records(list(session.client.projects.list()), columns, _project_row, empty)


@project.command("create")
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@connected
def create_project(session: Session, name: str, description: str) -> None:
    """Make a project known before it has any record."""
    _show_project(session, session.client.projects.create(name, description))


@project.command("describe")
@click.argument("name")
@click.argument("description")
@connected
def describe_project(session: Session, name: str, description: str) -> None:
    """Say what a project is for."""
    _show_project(session, session.client.projects.describe(name, description))


@project.command("show")
@click.argument("name")
@connected
def show_project(session: Session, name: str) -> None:
    """Show a project: what it is for, what it has, how many of its runs may train at once."""
    _show_project(session, session.client.projects.get(name))


@project.command()
@click.argument("name")
@click.argument("runs")
@connected
def limit(session: Session, name: str, runs: str) -> None:
    """Let RUNS of a project train at once; `none` for the server's default."""
    if runs != NO_LIMIT and not runs.isdigit():
        raise click.BadParameter("a number, or none", param_hint="RUNS")
    found = session.client.projects.limit(name, None if runs == NO_LIMIT else int(runs))
    if session.output.as_json:
        session.output.document(found.raw)
        return
    session.output.note(f"Of {found.name} {found.effective or 'any number of'} runs may train at once.")


def _show_project(session: Session, found: "Project") -> None:
    if session.output.as_json:
        session.output.document(found.raw)
        return
    session.output.pairs(
        {
            "project": found.name,
            "for": found.description or None,
            "runs": ", ".join(f"{count} {status}" for status, count in (found.runs or {}).items()) or "none",
            "data sets": found.datasets,
            "runs at once": found.effective or "as many as there are workers",
        }
    )


def _project_row(one: "Project") -> tuple[Any, ...]:
    runs = dict(one.runs or {})
    running, queued = runs.pop("running", 0), runs.pop("queued", 0)
    words = (one.description or "").partition("\n")[0]
    return one.name, running, queued, sum(runs.values()), one.datasets, one.newest_at, one.effective, words


def _worker_row(one: "Worker") -> tuple[Any, ...]:
    memory = shown_bytes(one.memory_bytes) if one.memory_bytes else None
    stalled = "stalled" if one.is_stalled else "drained" if one.is_drained else ""
    return one.id, one.host, ", ".join(one.queues or ()), one.device, memory, one.holds, stalled


def _reason(reason: object) -> str:
    return str(getattr(reason, "message", "") or "")
