"""model: what can be trained."""

from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.session import Session, connected

if TYPE_CHECKING:
    from trainyard_client.records import Experiment


@click.group()
def model() -> None:
    """See what models can be trained."""


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
