"""How training looks on a terminal: a bar and a line for each epoch; in a pipe the lines alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trainyard.runs.events import EpochEnd, Event, Notice, Progress, to_dict
from trainyard_client.command.runs.watch_view import WatchView, epoch_line
from trainyard_client.command.terminal.output import Output


@contextmanager
def training_view(output: Output, name: str, epochs: int, monitor: str) -> Iterator[Callable[[Event], None]]:
    """Yields what takes the events of a training; all that it shows goes to standard error."""
    if not sys.stderr.isatty():
        yield lambda event: _print(output.note, event)
        return
    from rich.live import Live

    view = WatchView(name, epochs, monitor)
    with Live(view, console=output.notes, refresh_per_second=4, transient=True) as live:

        def take(event: Event) -> None:
            view.add(event.name, to_dict(event))
            _print(lambda text: live.console.print(text, markup=False), event)

        yield take


@contextmanager
def reading_view(output: Output, name: str) -> Iterator[Callable[[int, int], None]]:
    """Yields what takes the images read and their number, while a data set is read."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=output.notes, transient=True) as bar:
        task = bar.add_task(f"reading {name}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(line: Callable[[str], None], event: Event) -> None:
    match event:
        case EpochEnd(metrics=row):
            line(epoch_line(row))
        case Notice(message=message):
            line(f"notice: {message}")
        case Progress(stage="export"):
            line("evaluating the best epoch and exporting")
