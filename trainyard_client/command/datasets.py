"""dataset: upload, look, answer, delete."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.archives import packed_dataset
from trainyard_client.command.runs.assignments import object_of, spec_of
from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import first, shown_bytes
from trainyard_client.command.terminal.progress import transfer
from trainyard_client.command.terminal.session import Session, connected, quiet_option

if TYPE_CHECKING:
    from trainyard_client.records import Dataset, DatasetItem, ObjectSummary

READY = "ready"
QUESTION = "question"


@click.group(cls=Group)
def dataset() -> None:
    """Upload data sets, see what ingest found, answer its questions."""


@dataset.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.option("--name", help="Name of the set; that of the file or folder by default.")
@click.option("--project", help="Project it belongs to.")
@click.option(
    "--annotation",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An annotation file that is not in the archive.",
)
@click.option("--classes", help='Names of mask values as JSON: {"0": "background", "255": "pet"}.')
@click.option(
    "--set",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other option of an upload, as on_question=assume or max_side=1024.",
)
@click.option("--no-wait", is_flag=True, help="Return when it is uploaded, not when it is ingested.")
@quiet_option
@connected
def add(
    session: Session,
    data: Path,
    name: str | None,
    project: str | None,
    annotation: Path | None,
    classes: str | None,
    options: tuple[str, ...],
    no_wait: bool,
    quiet: bool,
) -> int:
    """Upload DATA, a zip or tar or a folder, and wait until it is ingested.

    Ends with status 3 where the set cannot be used as it is: a question is open, or the ingest failed.
    """  # fmt: skip
    fields: dict[str, Any] = {"project": project, **spec_of(None, options)}
    if classes:
        fields["classes"] = object_of(classes, "--classes")
    with packed_dataset(data) as archive, transfer(session.output, f"upload {data.name}") as progress:
        made = session.client.datasets.upload(
            archive, name or data.resolve().stem, annotation=annotation, progress=progress, **fields
        )
    if not no_wait:
        session.output.note(f"{made.id} is uploaded; it is being read.")
        made = session.client.datasets.wait(made.id)
    is_well = no_wait or made.status == READY
    if quiet and is_well:
        session.output.ids([made])
    else:
        _show(session, made)
    return exit_codes.DONE if is_well else exit_codes.REFUSED


@dataset.command("ls")
@click.option("--project", help="Only of this project.")
@click.option("--status", help="Only in this status.")
@click.option("--limit", default=50, show_default=True, help="At most so many, the newest.")
@quiet_option
@connected
def list_datasets(session: Session, project: str | None, status: str | None, limit: int, quiet: bool) -> None:
    """List data sets, newest first."""
    found = first(session.client.datasets.list(project=project, status=status), limit)
    if quiet:
        session.output.ids(found)
        return
    columns = ("id", "name", "project", "status", "images", "upload", "created")
    session.output.records(found, columns, _row, "There is no data set.")


@dataset.command()
@click.argument("dataset_id")
@connected
def show(session: Session, dataset_id: str) -> None:
    """Show a data set: what was read, how, and what is wrong or open."""
    _show(session, session.client.datasets.get(dataset_id))


@dataset.command()
@click.argument("dataset_id")
@connected
def problems(session: Session, dataset_id: str) -> None:
    """List what ingest found wrong, each with its remedy."""
    found = session.client.datasets.get(dataset_id)
    if session.output.as_json:
        session.output.document([problem.raw for problem in found.problems])
        return
    _show_problems(session, found)
    if not found.problems:
        session.output.note("Nothing is wrong with it.")


@dataset.command()
@click.argument("dataset_id")
@click.option("--split", help="Only of this split.")
@click.option("--class", "class_name", help="Only those in which this class occurs.")
@click.option("--limit", default=20, show_default=True, help="At most so many.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Save their pictures into this folder.",
)
@connected
def samples(
    session: Session,
    dataset_id: str,
    split: str | None,
    class_name: str | None,
    limit: int,
    folder: Path | None,
) -> None:
    """List samples, or save them as pictures with their masks."""  # fmt: skip
    found = session.client.datasets.samples(dataset_id, split=split, class_name=class_name)
    items = first(found, limit)
    for item in items if folder else ():
        target = (folder or Path()) / f"{item.index}.png"
        session.client.datasets.sample_picture(dataset_id, item.index, target)
    columns = ("index", "name", "split")
    session.output.records(
        items, columns, lambda item: (item.index, item.name, item.split), "There is no such sample."
    )


@dataset.command()
@click.argument("dataset_id")
@click.argument("choices", nargs=-1, metavar="[QUESTION=CHOICE]...")
@click.option(
    "--set", "options", multiple=True, metavar="NAME=VALUE", help="An option that settles it instead."
)
@connected
def answer(session: Session, dataset_id: str, choices: tuple[str, ...], options: tuple[str, ...]) -> int:
    """Answer questions of ingest by the key of a choice each, as `several_masks=union`.

    The command waits for the new version.
    """
    answers = {name: str(value) for name, value in spec_of(None, choices).items()}
    session.client.datasets.answer(dataset_id, answers or None, spec_of(None, options) or None)
    return _settled(session, dataset_id)


@dataset.command()
@click.argument("dataset_id")
@click.argument("label_map")
@click.option("--classes", help="Names of the new values as JSON.")
@connected
def relabel(session: Session, dataset_id: str, label_map: str, classes: str | None) -> int:
    """Make a new version with LABEL_MAP, as '{"255": 1, "7": null}', and wait for it.

    `proposed` takes the label map that the set itself proposes.
    """
    if label_map == "proposed":
        proposed = session.client.datasets.get(dataset_id).proposed_label_map
        if not proposed:
            raise click.BadParameter("the set proposes none", param_hint="LABEL_MAP")
        values: dict[str, Any] = dict(proposed)
    else:
        values = object_of(label_map, "LABEL_MAP")
    session.client.datasets.relabel(dataset_id, values, object_of(classes, "--classes") if classes else None)
    return _settled(session, dataset_id)


@dataset.command()
@click.argument("dataset_id")
@connected
def retry(session: Session, dataset_id: str) -> int:
    """Try the ingest again that failed for the infrastructure's sake, and wait for it."""
    session.client.datasets.retry(dataset_id)
    return _settled(session, dataset_id)


@dataset.command("rm")
@click.argument("dataset_ids", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@connected
def remove(session: Session, dataset_ids: tuple[str, ...], yes: bool) -> None:
    """Delete data sets with their files."""
    if not yes:
        click.confirm(f"Delete {', '.join(dataset_ids)} with all files?", abort=True, err=True)
    for dataset_id in dataset_ids:
        session.client.datasets.delete(dataset_id)
        session.output.note(f"{dataset_id} is deleted.")


def _row(item: "DatasetItem") -> tuple[Any, ...]:
    images = item.summary.images if item.summary else None
    upload = shown_bytes(item.upload_bytes) if item.upload_bytes else None
    return item.id, item.name, item.project, item.status, images, upload, item.created_at


def _settled(session: Session, dataset_id: str) -> int:
    settled = session.client.datasets.wait(dataset_id)
    _show(session, settled)
    return exit_codes.DONE if settled.status == READY and not settled.refused_change else exit_codes.REFUSED


def _show(session: Session, found: "Dataset") -> None:
    output = session.output
    if output.as_json:
        output.document(found.raw)
        return
    output.pairs({"id": found.id, "name": found.name, "project": found.project, "status": found.status})
    if found.summary:
        summary, reading = found.summary, found.summary.reading
        splits = ", ".join(f"{name} {count}" for name, count in summary.splits.items())
        said = f"{', '.join(summary.kinds)}, {summary.task}"
        output.pairs(
            {"version": found.version, "images": f"{summary.images} ({splits})", "annotations": said}
        )
        if reading:
            parts = {"format": reading.format, "pairs": reading.pairs, "classes": reading.classes,
                     "splits": reading.splits, "guesses": " ".join(reading.guesses) or None}  # fmt: skip
            output.pairs(parts)
        rows = [(one.value, one.name, f"{one.share:.1%}", one.images) for one in summary.classes]
        if summary.objects:
            _show_objects(session, summary.objects)
        counted = "pixels" if "masks" in summary.kinds else "objects" if summary.objects else "labels"
        share = f"share of {counted}"
        output.table(("value", "class", share, "images"), rows, "There is no class.")
    _show_problems(session, found)
    _show_questions(session, found)
    if found.error:
        output.line(f"{found.error.get('message', '')} {found.error.get('remedy') or ''}".strip())


def _show_objects(session: Session, found: "ObjectSummary") -> None:
    crowds = f", {found.crowds} crowds" if found.crowds else ""
    sizes = ", ".join(f"{count} {size}" for size, count in found.sizes.items())
    objects = f"{found.count} in {found.images} images, at most {found.most} in one{crowds}"
    session.output.pairs({"objects": objects, "boxes": sizes})
    rows = [(one.index, one.name, one.objects, one.images) for one in found.classes]
    session.output.table(("index", "class of objects", "objects", "images"), rows, "There is no class.")


def _show_problems(session: Session, found: "Dataset") -> None:
    for problem in found.problems:
        where = f"{problem.file}: " if problem.file else ""
        times = f" ({problem.count} times)" if problem.count and problem.count > 1 else ""
        session.output.line(f"{problem.severity} {problem.code}: {where}{problem.message}{times}")
        session.output.line(f"    {problem.remedy}")


def _show_questions(session: Session, found: "Dataset") -> None:
    for question in found.questions or ():
        session.output.line(f"question {question.code}: {question.text}")
        for choice in question.choices:
            session.output.line(f"    {question.code}={choice.key}  {choice.text} ({choice.count})")
    if found.questions:
        session.output.note(f"Answer with: trainyard dataset answer {found.id} QUESTION=CHOICE")
