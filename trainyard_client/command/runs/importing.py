"""run import: experiments of `trainyard train`, handed over to a server."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.progress import transfer
from trainyard_client.command.terminal.session import Session, connected, quiet_option
from trainyard_client.errors import NotFound, SettingsError

if TYPE_CHECKING:
    from trainyard_client.archives import Experiment
    from trainyard_client.records import Dataset, Run

READY = "ready"


@click.command("import")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the run; that of the experiment by default.")
@click.option("--project", help="Project it belongs to; that of its data set by default.")
@click.option("--tag", "tags", multiple=True, help="A word to find the run by; may be given again.")
@click.option("--group", help="What the run belongs to, with others.")
@click.option("--notes", help="What is to be said of it.")
@click.option("--dataset", "dataset_id", help="The data set it was trained on; found by content by default.")
@click.option("--with-data", is_flag=True, help="Send the data set, too, where the server does not have it.")
@quiet_option
@connected
def import_runs(
    session: Session,
    folders: tuple[Path, ...],
    with_data: bool,
    quiet: bool,
    tags: tuple[str, ...],
    **fields: Any,
) -> int:
    """Hand experiments of `trainyard train` over to the server: runs/exp3.

    Each becomes a run that has ended, with its checkpoints, metrics, report and exported files. Handed over
    again, an experiment is the same run, unless it was trained further meanwhile. A run can be resumed where
    the server has its data set.

    \b
    trainyard run import runs/exp3
    trainyard run import runs/exp1 runs/exp2 --project lab --with-data
    """  # fmt: skip
    from trainyard_client.archives import read_experiment

    if len(folders) > 1 and (fields["name"] or fields["dataset_id"]):
        raise click.UsageError("--name and --dataset are of one experiment.")
    experiments = [read_experiment(folder) for folder in folders]  # a slip is told before anything is sent
    made = [_imported(session, one, with_data, {**fields, "tags": list(tags) or None}) for one in experiments]
    if quiet:
        session.output.ids(made)
    elif session.output.as_json:
        session.output.document([run.raw for run in made] if len(made) > 1 else made[0].raw)
    else:
        for run in made:
            _tell(session, run)
    return exit_codes.DONE


def _imported(session: Session, experiment: "Experiment", with_data: bool, fields: dict[str, Any]) -> "Run":
    with transfer(session.output, f"upload {experiment.folder.name}") as progress:
        run = session.client.runs.import_experiment(experiment.folder, progress=progress, **fields)
    if not (with_data and run.dataset_deleted):
        return run
    dataset = _sent_dataset(session, experiment, run.project)
    return session.client.runs.change(run.id, dataset_id=dataset.id)


def _sent_dataset(session: Session, experiment: "Experiment", project: str) -> "Dataset":
    """The experiment's data set, read by the server with the options with which it was read here."""
    from trainyard_client.archives import packed_dataset

    known = experiment.dataset
    source = Path(str(known["source"])) if known else None
    if known is None or source is None or not source.exists():
        raise NotFound(
            f"The data set of {experiment.folder.name} is not where it was trained on.",
            remedy="Upload it with `trainyard dataset add`, and name it with --dataset.",
        )
    options = {name: value for name, value in known.get("options", {}).items() if value is not None}
    with packed_dataset(source) as archive, transfer(session.output, f"upload {source.name}") as progress:
        sent = session.client.datasets.upload(
            archive, source.stem, project=project, progress=progress, **options
        )
    session.output.note(f"{sent.id} is uploaded; it is being read.")
    dataset = session.client.datasets.wait(sent.id)
    if dataset.status != READY:
        raise SettingsError(
            f"{dataset.id} is {dataset.status}.", remedy=f"trainyard dataset show {dataset.id}"
        )
    return dataset


def _tell(session: Session, run: "Run") -> None:
    output = session.output
    output.line(f"{run.id} is {run.status}, epoch {run.epoch} of {run.epochs}, in the project {run.project}.")
    for notice in run.notices or ():
        output.line(f"notice: {notice}")
    if run.dataset_deleted:
        output.note(
            "Its data set is not on the server: --with-data sends it, so that the run can be resumed."
        )
