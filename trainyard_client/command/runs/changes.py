"""What may be asked of a run: other epochs, an end, going on, a fork, another place."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trainyard_client.command.runs.assignments import spec_of, spec_options
from trainyard_client.command.terminal.session import Session, connected, quiet_option

if TYPE_CHECKING:
    from trainyard_client.records import Run


@click.command()
@click.argument("run_id")
@click.argument("target", type=int)
@connected
def epochs(session: Session, run_id: str, target: int) -> None:
    """Set how many epochs the run trains, also while it does."""
    _tell(session, session.client.runs.change(run_id, epochs=target))


@click.command()
@click.argument("run_id")
@click.option("--after-epoch", is_flag=True, help="End the present epoch first.")
@connected
def stop(session: Session, run_id: str, after_epoch: bool) -> None:
    """Stop the run and keep its work."""
    _tell(session, session.client.runs.stop(run_id, "epoch" if after_epoch else "now"))


@click.command()
@click.argument("run_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@connected
def cancel(session: Session, run_id: str, yes: bool) -> None:
    """Throw the run away: its checkpoints and results go."""
    if not yes:
        click.confirm(f"Throw {run_id} away, with its checkpoints?", abort=True, err=True)
    _tell(session, session.client.runs.cancel(run_id))


@click.command()
@click.argument("run_id")
@click.option("--epochs", "target", type=int, help="Another target of epochs.")
@connected
def resume(session: Session, run_id: str, target: int | None) -> None:
    """Let the run go on from its last checkpoint."""
    _tell(session, session.client.runs.resume(run_id, target))


@click.command()
@click.argument("run_id")
@connected
def retry(session: Session, run_id: str) -> None:
    """Let a failed run begin afresh."""
    _tell(session, session.client.runs.retry(run_id))


@click.command()
@click.argument("run_id")
@click.option("--checkpoint", default="best", show_default=True, help="best, last or the number of an epoch.")
@spec_options
@click.option("--epochs", "target", type=int, help="Epochs to train.")
@click.option("--name", help="Name of the fork.")
@click.option("--dataset", "dataset_id", help="Another data set.")
@quiet_option
@connected
def fork(
    session: Session,
    run_id: str,
    checkpoint: str,
    spec_file: Path | None,
    assignments: tuple[str, ...],
    target: int | None,
    quiet: bool,
    **fields: Any,
) -> None:
    """Submit a new run that begins with this one's weights."""  # fmt: skip
    spec = spec_of(spec_file, assignments, epochs=target)
    made = session.client.runs.fork(run_id, checkpoint, spec=spec or None, **fields)
    if quiet:
        session.output.ids([made])
    else:
        _tell(session, made)


@click.command()
@click.argument("run_id")
@click.option("--before", metavar="RUN_ID", help="Right before this one.")
@click.option("--after", metavar="RUN_ID", help="Right after this one.")
@connected
def move(session: Session, run_id: str, before: str | None, after: str | None) -> None:
    """Put a queued run before its project's others, or right beside one of them."""
    runs = session.client.runs
    if before and after:
        raise click.UsageError("A run goes before another one or after it.")
    if before or after:
        _tell(session, runs.move_before(run_id, before) if before else runs.move_after(run_id, after or ""))
    else:
        _tell(session, runs.move_to_front(run_id))


@click.command()
@click.argument("run_id")
@click.argument("text")
@connected
def note(session: Session, run_id: str, text: str) -> None:
    """Replace the run's notes by TEXT."""
    _tell(session, session.client.runs.change(run_id, notes=text))


@click.command("rm")
@click.argument("run_ids", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@connected
def remove(session: Session, run_ids: tuple[str, ...], yes: bool) -> None:
    """Delete ended runs with their files."""
    if not yes:
        click.confirm(f"Delete {', '.join(run_ids)} with all files?", abort=True, err=True)
    for run_id in run_ids:
        session.client.runs.delete(run_id)
        session.output.note(f"{run_id} is deleted.")


COMMANDS = (epochs, stop, cancel, resume, retry, fork, move, note, remove)


def _tell(session: Session, run: "Run") -> None:
    if session.output.as_json:
        session.output.document(run.raw)
    else:
        session.output.line(f"{run.id} is {run.status}, epoch {run.epoch} of {run.epochs}.")
