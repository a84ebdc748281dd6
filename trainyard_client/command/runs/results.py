"""What a run leaves behind: metrics, log, files; and waiting for it."""

import time
from pathlib import Path, PurePosixPath

import click

from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.progress import transfer
from trainyard_client.command.terminal.session import Session, connected
from trainyard_client.errors import NotFound, TransferDamaged

FOLLOW_S = 1.0
LOG = "logs/training.log"
SHOWN = ("epoch", "train_loss", "val_loss")
LAST_SHOWN = ("lr", "images_per_second")
"""What every task has in its rows; between them stand the scores of validation over all classes."""
MOST_SCORES = 4
"""So many fit on a line of a terminal."""
RESULTS = ("checkpoints/best.ckpt", "export/", "report.html", "report.json", "metrics.csv", "config.json")
"""What `download` takes where nothing is named; a name that ends with / is a folder."""


@click.command()
@click.argument("run_id")
@click.option("--all", "every", is_flag=True, help="All columns, those of each class, too.")
@connected
def metrics(session: Session, run_id: str, every: bool) -> None:
    """Show the metrics, one row for each epoch."""
    rows = session.client.runs.metrics(run_id)
    if session.output.as_json:
        session.output.document(rows)
        return
    known = list(dict.fromkeys(name for row in rows for name in row))
    columns = known if every else _of_all_classes(known)
    cells = [[row.get(name) for name in columns] for row in rows]
    session.output.table(columns, cells, "No epoch has ended yet.")


def _of_all_classes(known: list[str]) -> list[str]:
    scores = [name for name in known if name.startswith("val_") and "/" not in name and name not in SHOWN]
    scores = scores[:MOST_SCORES]
    return [name for name in (*SHOWN, *scores, *LAST_SHOWN) if name in known]


@click.command()
@click.argument("run_id")
@click.option("-n", "--lines", type=int, help="The last so many lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on to the run's end.")
@connected
def logs(session: Session, run_id: str, lines: int | None, follow: bool) -> None:
    """Print the training log."""
    text = session.client.runs.log(run_id, lines)
    _print_log(session, text)
    if not follow:
        return
    from trainyard_client.resources.runs import ENDED

    # Bytes are followed by their place in the file: lines that repeat are no puzzle.
    place = _log_bytes(session, run_id)
    while session.client.runs.get(run_id).status not in ENDED:
        time.sleep(FOLLOW_S)
        place = _print_from(session, run_id, place)
    _print_from(session, run_id, place)


@click.command()
@click.argument("run_id")
@click.option("--epoch", type=click.IntRange(min=1), help="Only until so many epochs are finished.")
@click.option("--timeout", type=float, help="Give up after so many seconds, with status 1.")
@connected
def wait(session: Session, run_id: str, epoch: int | None, timeout: float | None) -> int:
    """Wait for the run's end; the status tells how it ended, as that of `watch`."""
    try:
        run = session.client.runs.wait(run_id, epoch=epoch, seconds=timeout)
    except TimeoutError as error:
        session.output.note(f"{error}.")
        return exit_codes.FAILURE
    if session.output.as_json:
        session.output.document(run.raw)
    else:
        session.output.line(f"{run.id} is {run.status} after epoch {run.epoch} of {run.epochs}.")
    is_reached = epoch is not None and run.epoch >= epoch
    return exit_codes.DONE if is_reached else exit_codes.of_run(run.status)


@click.command()
@click.argument("run_id")
@click.argument("paths", nargs=-1)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write into; one of the run's name by default.",
)
@click.option("--all", "every", is_flag=True, help="Every file of the run.")
@connected
def download(session: Session, run_id: str, paths: tuple[str, ...], folder: Path | None, every: bool) -> None:
    """Download files of the run: best checkpoint, export, report, metrics; or PATHS, as `export/` or `best`.

    What broke off is gone on with; each file is checked by length and SHA-256.
    """  # fmt: skip
    there = {one.path: one for one in session.client.runs.artifacts(run_id)}
    asked = [_alias(path) for path in paths] or list(RESULTS)
    chosen = list(there) if every else [path for path in there if any(_matches(path, one) for one in asked)]
    missing = [one for one in map(_alias, paths) if not any(_matches(path, one) for path in there)]
    if missing or not chosen:
        named = ", ".join(missing) or "results"
        raise NotFound(f"Run {run_id} has no {named}.", remedy=f"It has: {', '.join(there) or 'no files'}.")
    root = folder or Path(run_id)
    for path in chosen:
        with transfer(session.output, path) as progress:
            written = session.client.runs.download_artifact(run_id, path, _inside(root, path), progress)
        if session.output.as_json:
            session.output.json_line({"path": path, "file": str(written), "bytes": written.stat().st_size})
        else:
            session.output.line(str(written))


COMMANDS = (metrics, logs, wait, download)


def _print_log(session: Session, text: str) -> None:
    if session.output.as_json:
        for line in text.splitlines():
            session.output.json_line({"line": line})
    elif text:
        session.output.line(text.rstrip("\n"))


def _log_bytes(session: Session, run_id: str) -> int:
    sizes = {one.path: one.bytes for one in session.client.runs.artifacts(run_id)}
    return sizes.get(LOG, 0)


def _print_from(session: Session, run_id: str, place: int) -> int:
    """Print the whole lines that stand after that place; the place after them."""
    new = session.client.runs.bytes_from(run_id, LOG, place)
    whole = new[: new.rfind(b"\n") + 1]
    _print_log(session, whole.decode(errors="replace"))
    return place + len(whole)


def _alias(path: str) -> str:
    return f"checkpoints/{path}.ckpt" if path in ("best", "last") else path


def _matches(path: str, asked: str) -> bool:
    return path.startswith(asked) if asked.endswith("/") else path == asked


def _inside(root: Path, path: str) -> Path:
    """Where the file goes; the server names paths, but does not choose places outside the folder."""
    parts = PurePosixPath(path).parts
    if PurePosixPath(path).is_absolute() or ".." in parts:
        raise TransferDamaged(f"The server names a file {path!r}, outside of the run's folder.")
    return root.joinpath(*parts)
