"""experiment: settings that a project keeps under a name, of which runs are made."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.runs.assignments import dotted, spec_of, spec_options
from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import first
from trainyard_client.command.terminal.session import Session, connected, quiet_option
from trainyard_client.errors import NotFound

if TYPE_CHECKING:
    from trainyard_client.records import SavedExperiment

ID = "exp-"
_project = click.option("--project", default="default", show_default=True, help="Project it belongs to.")


@click.group(cls=Group)
def experiment() -> None:
    """Save settings under a name, of which `trainyard run submit -e NAME` makes runs.

    \b
    trainyard experiment save careful -e demo --epochs 100
    trainyard experiment save "as it went well" --from-run run-0123456789ab
    trainyard run submit DATASET_ID -e careful
    """


@experiment.command()
@click.argument("name")
@_project
@click.option("-e", "--experiment", help="Over which the settings are laid: a ready one, or a saved one.")
@click.option("--from-run", "run_id", metavar="RUN_ID", help="A run over whose settings they are laid.")
@spec_options
@click.option("--epochs", type=int, help="Epochs to train.")
@click.option("--notes", help="Free text.")
@quiet_option
@connected
def save(
    session: Session,
    name: str,
    spec_file: Path | None,
    assignments: tuple[str, ...],
    epochs: int | None,
    quiet: bool,
    **fields: Any,
) -> None:
    """Save settings under NAME; saved again as they are, they are the same."""  # fmt: skip
    spec = spec_of(spec_file, assignments, epochs=epochs)
    made = session.client.experiments.save(name, spec=spec or None, **fields)
    if quiet:
        session.output.ids([made])
    else:
        _show(session, made)


@experiment.command("ls")
@click.option("--project", help="Only of this project.")
@click.option("--limit", default=30, show_default=True, help="At most so many, the newest.")
@quiet_option
@connected
def list_experiments(session: Session, project: str | None, limit: int, quiet: bool) -> None:
    """List saved experiments, newest first; `trainyard model experiments` lists those of all projects."""
    found = first(session.client.experiments.list(project=project), limit)
    if quiet:
        session.output.ids(found)
        return
    columns = ("id", "name", "project", "settings", "changed")
    session.output.records(found, columns, _row, "There is no saved experiment.")


@experiment.command()
@click.argument("name")
@_project
@connected
def show(session: Session, name: str, project: str) -> None:
    """Show an experiment, by its NAME in the project or its id."""
    _show(session, _found(session, name, project))


@experiment.command()
@click.argument("name")
@_project
@spec_options
@click.option("--epochs", type=int, help="Epochs to train.")
@click.option("--notes", help="Other notes.")
@connected
def edit(
    session: Session,
    name: str,
    project: str,
    spec_file: Path | None,
    assignments: tuple[str, ...],
    epochs: int | None,
    notes: str | None,
) -> None:
    """Change an experiment: `--set` is laid over its settings, a file takes the place of them.

    Runs that were made of it stay as they are.
    """  # fmt: skip
    present = _found(session, name, project)
    changes: dict[str, Any] = {} if notes is None else {"notes": notes}
    if spec_file or assignments or epochs is not None:
        changes["spec"] = spec_of(spec_file, assignments, base=present.spec, epochs=epochs)
    _show(session, session.client.experiments.change(present.id, **changes))


@experiment.command("rm")
@click.argument("names", nargs=-1, required=True)
@_project
@connected
def remove(session: Session, names: tuple[str, ...], project: str) -> None:
    """Forget experiments; runs that were made of them stay."""
    for found in [_found(session, name, project) for name in names]:
        session.client.experiments.delete(found.id)
        session.output.note(f"{found.name} is forgotten.")


def _found(session: Session, name: str, project: str) -> "SavedExperiment":
    """By its id, or by its name in the project."""
    if name.startswith(ID):
        return session.client.experiments.get(name)
    known = list(session.client.experiments.list(project=project))
    found = next((one for one in known if one.name == name), None)
    if found is None:
        raise NotFound(
            f"The project {project!r} has no experiment {name!r}.",
            remedy=f"There are: {', '.join(sorted(one.name or one.id for one in known)) or 'none'}.",
        )
    return found


def _row(item: "SavedExperiment") -> tuple[Any, ...]:
    said = ", ".join(f"{name}={json.dumps(value)}" for name, value in dotted(item.spec or {}))
    return item.id, item.name, item.project, said if len(said) <= 60 else f"{said[:59]}…", item.changed_at


def _show(session: Session, found: "SavedExperiment") -> None:
    if session.output.as_json:
        session.output.document(found.raw)
        return
    session.output.pairs(
        {
            "id": found.id,
            "name": found.name,
            "project": found.project,
            "of run": found.run_id,
            "notes": found.notes or None,
        }
    )
    for name, value in dotted(found.spec or {}):
        session.output.pairs({f"  {name}": json.dumps(value)})
