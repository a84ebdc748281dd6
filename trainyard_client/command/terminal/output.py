"""What a command says: results on standard output, notes on standard error; tables, or JSON for programs."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from trainyard_client.decoding import Record

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T", bound=Record)
WIDTH_WITHOUT_TERMINAL = 120


class Output:
    """Where a command's words go."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    @property
    def console(self) -> "Console":
        """Standard output for people; imported late, for the sake of `--help`."""
        from rich.console import Console

        return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _width())

    @property
    def notes(self) -> "Console":
        """Standard error: progress and remarks."""
        from rich.console import Console

        return Console(stderr=True, highlight=False, soft_wrap=True)

    def document(self, value: Any) -> None:
        """One JSON document."""
        print(json.dumps(value, indent=2, ensure_ascii=False))

    def json_line(self, value: Any) -> None:
        """One JSON of a stream; whoever reads it gets it at once."""
        print(json.dumps(value, ensure_ascii=False), flush=True)

    def line(self, text: str) -> None:
        """One line of a result, as it is: a name never becomes markup."""
        print(text, flush=True)

    def note(self, text: str) -> None:
        """A remark, not part of the result."""
        print(text, file=sys.stderr, flush=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
        """A table, or the remark that there is nothing."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*(Text(shown(cell), overflow="fold") for cell in row))
        if table.row_count:
            self.console.print(table)
        else:
            self.note(empty)

    def records(
        self, found: Sequence[T], columns: Sequence[str], row: Callable[[T], Sequence[Any]], empty: str
    ) -> None:
        """A list of records: all that the server told of them as JSON, or a row of a table for each."""
        if self.as_json:
            self.document([one.raw for one in found])
        else:
            self.table(columns, map(row, found), empty)

    def ids(self, found: Iterable[Any]) -> None:
        """The id of each record on a line of its own, for scripts."""
        for one in found:
            self.line(one.id)

    def pairs(self, values: Mapping[str, Any]) -> None:
        """Names with their values, one a line; what is None is left out."""
        kept = {name: shown(value) for name, value in values.items() if value is not None}
        width = max(map(len, kept), default=0)
        for name, value in kept.items():
            self.line(f"{name:<{width}}  {value}")


def first(found: Iterable[T], limit: int) -> list[T]:
    """The first so many of a list, without asking the server for more pages than they take."""
    return list(islice(found, max(0, limit)))


def shown(value: Any) -> str:
    """A value as people read it."""
    from datetime import datetime

    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return _without_controls(str(value))


def shown_bytes(count: int) -> str:
    """A size in the unit that suits it."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def shown_seconds(seconds: float) -> str:
    """A duration in its two largest units."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _without_controls(text: str) -> str:
    """Names of users may hold escape sequences, which must not reach a terminal."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdigit() else WIDTH_WITHOUT_TERMINAL
