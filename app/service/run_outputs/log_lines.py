"""The lines of a run's log as events of a stream, each once, as they come."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.service.run_outputs.logs import MAX_PART_BYTES, read_part

LOG = "log"
"""The kind of these events; they are sent where it is asked for."""
MAX_LINE = 10_000
"""Characters that are sent of a line."""


class LogLines:
    """Reads a log forward. `offset` is that of what comes next, in bytes."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path = path
        self.offset = offset

    @classmethod
    def from_now(cls, path: Path) -> "LogLines":
        """Of what comes from now on."""
        return cls(path, path.stat().st_size if path.is_file() else 0)

    def events(self) -> Iterator[dict[str, Any]]:
        """What is there by now, whole lines alone; `offset` in an event is that of what comes after it."""
        while True:
            part = read_part(self._path, self.offset, MAX_PART_BYTES)
            begin = part.next_offset - len(part.content)
            whole, newline, _ = part.content.rpartition(b"\n")
            if not newline:
                return
            self.offset = begin + len(whole) + 1
            lines = whole.decode("utf-8", "replace").split("\n")
            yield {"event": LOG, "lines": [line[:MAX_LINE] for line in lines], "offset": self.offset}
