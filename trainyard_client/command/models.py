"""model: trained models by name, version and stage; and what can be trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.runs.scores import score_of_card
from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import first, shown_bytes
from trainyard_client.command.terminal.progress import transfer
from trainyard_client.command.terminal.session import Session, connected, quiet_option
from trainyard_client.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainyard_client.records import Experiment, Prediction, TrainedModel

STAGES = click.Choice(["candidate", "staging", "production", "archived"])
CLASS_MAP, OVERLAY = "class_map", "overlay"
_ENDS = {CLASS_MAP: ".png", OVERLAY: ".overlay.png"}
WITHOUT_MAP = ("Classifier", "FasterRCNN", "MaskRCNN", "RetinaNet", "FCOS", "SSDlite")
"""The architectures of models that tell classes of whole images, or find objects: there is no class map."""
AT_ONCE = 16
"""Images that a server takes in one request."""
_MODEL = click.argument("model_name", metavar="MODEL")
_IMAGE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PROJECT = click.option("--project", help="Only of this project.")


@click.group(cls=Group)
def model() -> None:
    """Register trained models, stage them, ask them; see what can be trained.

    MODEL is an id, or NAME, NAME@VERSION or NAME@STAGE. A name alone is its version in production, else the
    newest that is not archived.
    """


@model.command("ls")
@_PROJECT
@click.option("--name", help="Only versions of this name.")
@click.option("--stage", type=STAGES, help="Only in this stage.")
@click.option("--run", "run_id", help="Only made of this run.")
@click.option("--limit", default=50, show_default=True, help="At most so many, the newest.")
@quiet_option
@connected
def list_models(session: Session, limit: int, quiet: bool, **filters: str | None) -> None:
    """List trained models, newest first."""
    found = first(session.client.models.list(**filters), limit)
    if quiet:
        session.output.ids(found)
        return
    columns = ("model", "version", "stage", "score", "architecture", "run", "created", "id")
    session.output.records(found, columns, _model_row, "There is no trained model.")


@model.command()
@_MODEL
@_PROJECT
@connected
def show(session: Session, model_name: str, project: str | None) -> None:
    """Show a model: where it stands, what it was made of, its classes and files."""
    _show(session, session.client.models.find(model_name, project=project))


@model.command()
@click.argument("run_id", metavar="RUN")
@click.argument("name")
@click.option("--stage", type=STAGES, help="Its first stage; candidate by default.")
@click.option("--notes", help="Free text.")
@quiet_option
@connected
def register(
    session: Session, run_id: str, name: str, stage: str | None, notes: str | None, quiet: bool
) -> None:
    """Make a completed RUN the next version of NAME, with files of its own."""
    made = session.client.models.register(run_id, name, stage=stage, notes=notes)
    if quiet:
        session.output.ids([made])
    else:
        _show(session, made)


@model.command()
@_MODEL
@click.argument("stage", type=STAGES)
@click.option("--notes", help="Free text, in place of what is there.")
@_PROJECT
@connected
def stage(session: Session, model_name: str, stage: str, notes: str | None, project: str | None) -> None:
    """Give a model another stage; of a name one version is in production."""
    found = session.client.models.find(model_name, project=project)
    changes = {"stage": stage} | ({} if notes is None else {"notes": notes})
    _show(session, session.client.models.change(found.id, **changes))


@model.command()
@_MODEL
@click.argument("files", nargs=-1)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write into; one of the model's name and version by default.",
)
@_PROJECT
@connected
def download(
    session: Session, model_name: str, files: tuple[str, ...], folder: Path | None, project: str | None
) -> None:
    """Download a model's files, all or FILES; each is checked by length and SHA-256."""
    found = session.client.models.find(model_name, project=project)
    there = [one.name for one in found.files or ()]
    if missing := [name for name in files if name not in there]:
        raise NotFound(f"{found.id} has no {', '.join(missing)}.", remedy=f"It has: {', '.join(there)}.")
    root = folder or Path(f"{found.id}-v{found.version}")
    for name in files or there:
        with transfer(session.output, name) as progress:
            written = session.client.models.download(
                found.id, root / Path(name).name, name, progress=progress
            )
        if session.output.as_json:
            session.output.json_line({"name": name, "file": str(written), "bytes": written.stat().st_size})
        else:
            session.output.line(str(written))


@model.command()
@_MODEL
@click.argument(
    "images", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Save a class map of each image, NAME.png, and an overlay, NAME.overlay.png, into this folder.",
)
@click.option(
    "--way",
    type=click.Choice(["trained", "tiles", "resize"]),
    help="How images meet the network; as in training by default.",
)
@click.option("--precision", type=click.Choice(["fp32", "fp16", "int8"]), help="Which file answers.")
@_PROJECT
@connected
def predict(
    session: Session,
    model_name: str,
    images: tuple[Path, ...],
    folder: Path | None,
    project: str | None,
    **how: str | None,
) -> None:
    """Ask a model about IMAGES: how much of each class is in each; with --to also as pictures.

    A worker of the server computes it; nothing is needed here.
    """
    found = session.client.models.find(model_name, project=project)
    if folder is not None:
        _refuse_equal_names(images)
    drawn = (OVERLAY,) if found.architecture in WITHOUT_MAP else (CLASS_MAP, OVERLAY)
    forms = drawn if folder else ()
    for start in range(0, len(images), AT_ONCE):
        some = images[start : start + AT_ONCE]
        answer = session.client.models.predict(found.id, some, pictures=forms, **how)
        written = _save(answer, some, folder, forms) if folder else []
        _tell(session, answer, written)


@model.command()
@click.argument("run_id", metavar="RUN")
@click.option("--half", is_flag=True, help="Also in float16.")
@click.option("--int8", is_flag=True, help="Also quantised to eight bits.")
@click.option("--with-preprocessing", is_flag=True, help="With the preprocessing inside.")
@click.option("--no-wait", is_flag=True, help="Return when it is asked for, not when it is done.")
@connected
def export(session: Session, run_id: str, no_wait: bool, **forms: bool) -> int:
    """Have the ONNX files of a completed RUN written that it was not asked for before.

    A worker does it and checks them against the trained network; the run is finishing meanwhile.
    """
    run = session.client.runs.export(run_id, **{name: True for name, wanted in forms.items() if wanted})
    if not no_wait:
        run = session.client.runs.wait(run_id)
    if session.output.as_json:
        session.output.document(run.raw)
    else:
        session.output.line(f"{run.id} is {run.status}.")
    return exit_codes.DONE if no_wait else exit_codes.of_run(run.status)


@model.command("rm")
@_MODEL
@click.option("--yes", is_flag=True, help="Do not ask.")
@_PROJECT
@connected
def remove(session: Session, model_name: str, yes: bool, project: str | None) -> None:
    """Delete a model with its files; its run stays."""
    found = session.client.models.find(model_name, project=project)
    if not yes:
        click.confirm(f"Delete {found.name}@{found.version} ({found.id})?", abort=True, err=True)
    session.client.models.delete(found.id)
    session.output.note(f"{found.id} is deleted.")


@model.command()
@connected
def architectures(session: Session) -> None:
    """List the architectures with their rules of size."""
    columns = ("architecture", "sizes are multiples of", "from", "smallest batch")
    session.output.records(
        session.client.models.architectures(),
        columns,
        lambda one: (one.name, one.size_multiple, one.min_size, one.min_batch),
        "The server offers none.",
    )


@model.command()
@click.argument("search", required=False)
@connected
def encoders(session: Session, search: str | None) -> None:
    """List encoders, those whose name holds SEARCH where it is given."""
    names = session.client.models.encoders(search)
    if session.output.as_json:
        session.output.document(names)
        return
    for name in names:
        session.output.line(name)
    if not names:
        session.output.note(f"No encoder's name holds {search!r}.")


@model.command()
@connected
def experiments(session: Session) -> None:
    """List the ready specs that `trainyard run submit -e NAME` takes."""
    columns = ("experiment", "architecture", "encoder", "task", "epochs")
    session.output.records(session.client.models.experiments(), columns, _row, "The server offers none.")


def _row(one: "Experiment") -> tuple[Any, ...]:
    model = one.spec.model
    return one.name, model.architecture, model.encoder, model.task, one.spec.epochs


def _model_row(one: "TrainedModel") -> tuple[Any, ...]:
    run = one.run_name or one.run_id
    return (
        one.name,
        one.version,
        one.stage,
        score_of_card(one.metrics),
        one.architecture,
        run,
        one.created_at,
        one.id,
    )


def _show(session: Session, found: "TrainedModel") -> None:
    if session.output.as_json:
        session.output.document(found.raw)
        return
    data = f"{found.dataset_name or 'deleted'} ({found.dataset_id}, version {found.dataset_version or '?'})"
    session.output.pairs(
        {
            "model": f"{found.name}@{found.version}",
            "id": found.id,
            "stage": found.stage,
            "project": found.project,
            "notes": found.notes or None,
            "run": f"{found.run_name} ({found.run_id}), epoch {found.epoch}",
            "data set": data,
            "content": found.content_hash,
            "network": f"{found.architecture} {found.encoder}, {found.image_size} px, {found.task}",
            "score": score_of_card(found.metrics),
            "classes": ", ".join(f"{one.index} {one.name}" for one in found.classes or ()),
            "files": ", ".join(f"{one.name} ({shown_bytes(one.bytes)})" for one in found.files or ()),
            "created": found.created_at,
            "created by": found.created_by,
        }
    )


def _refuse_equal_names(images: "Sequence[Path]") -> None:
    stems = [path.stem for path in images]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise click.UsageError(f"Two images would be written to {twice[0]}.png: rename one.")


def _show_classes(session: Session, answer: "Prediction") -> None:
    """How much of each class an image has, how probable the classes are that it has as a whole, or how many
    objects of each are found."""
    rows: list[tuple[Any, ...]] = []
    numbers: tuple[str, ...] = ("share", "pixels")
    for one in answer.images:
        size = f"{one.width} x {one.height}"
        for found in one.classes:
            if found.raw.get("predicted"):
                numbers = ("probability",)
                rows.append((one.name, size, found.name, f"{found.probability:.1%}"))
            elif found.raw.get("objects"):
                numbers = ("objects",)
                rows.append((one.name, size, found.name, found.objects))
            elif found.raw.get("pixels"):
                rows.append((one.name, size, found.name, f"{found.share:.1%}", found.pixels))
    session.output.table(("image", "size", "class", *numbers), rows, "No class was found.")


def _save(answer: "Prediction", images: "Sequence[Path]", folder: Path, forms: "Sequence[str]") -> list[Path]:
    """The pictures of each image, in files named after it here, whatever the server calls it."""
    from trainyard_client.resources.models import picture

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path, one in zip(images, answer.images, strict=True):
        for form in forms:
            target = folder / f"{path.stem}{_ENDS[form]}"
            target.write_bytes(picture(one, form))
            written.append(target)
    return written


def _tell(session: Session, answer: "Prediction", written: "Sequence[Path]") -> None:
    if session.output.as_json:
        for one in answer.images:
            session.output.json_line({k: v for k, v in one.raw.items() if k not in (CLASS_MAP, OVERLAY)})
        return
    _show_classes(session, answer)
    for one in answer.images:
        for notice in one.notices:
            session.output.note(f"{one.name}: {notice}")
    for path in written:
        session.output.line(str(path))
