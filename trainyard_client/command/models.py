"""model: what can be trained."""

import click

from trainyard_client.command.session import Session, connected


@click.group()
def model() -> None:
    """See what models can be trained."""


@model.command()
@connected
def architectures(session: Session) -> None:
    """List the architectures with their rules of size."""
    found = session.client.models.architectures()
    if session.output.as_json:
        session.output.document([one.raw for one in found])
        return
    rows = [(one.name, one.size_multiple, one.min_size, one.min_batch) for one in found]
    columns = ("architecture", "sizes are multiples of", "from", "smallest batch")
    session.output.table(columns, rows, "The server offers none.")


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
    found = session.client.models.experiments()
    if session.output.as_json:
        session.output.document([one.raw for one in found])
        return
    rows = [
        (one.name, one.spec.model.architecture, one.spec.model.encoder, one.spec.model.task, one.spec.epochs)
        for one in found
    ]
    columns = ("experiment", "architecture", "encoder", "task", "epochs")
    session.output.table(columns, rows, "The server offers none.")
