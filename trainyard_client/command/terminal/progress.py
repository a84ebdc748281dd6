"""Bars on standard error, where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trainyard_client.command.terminal.output import Output


@contextmanager
def transfer(output: Output, what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar of bytes for an upload or a download; yields what is to be told of the bytes so far."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    from rich.text import Text

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=output.notes, transient=True) as bar:
        task = bar.add_task(Text(what).markup, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
