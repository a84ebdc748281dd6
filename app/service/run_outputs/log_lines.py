"""The lines of a run's log as events of a stream, each once, as they come."""

from pathlib import Path
from typing import Any

from app.service.run_outputs.logs import read_part

LOG = "log"
"""The kind of these events; they are sent where it is asked for."""
MAX_LINE = 10_000
"""Characters that are sent of a line."""
PIECE_BYTES = 32 * 1024
"""Of a log that one event has at most; a line that is longer comes in several."""


class LogLines:
    """Reads a log forward. `offset` is that of what comes next, in bytes."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path = path
        self.offset = offset

    @classmethod
    def from_now(cls, path: Path) -> "LogLines":
        """Of what comes from now on."""
        return cls(path, path.stat().st_size if path.is_file() else 0)

    def next(self) -> dict[str, Any] | None:
        """The next of what is there by now, whole lines alone; None where that is nothing.

        `offset` in the event is that of what comes after it. Raises StorageUnavailable.
        """
        part = read_part(self._path, self.offset, PIECE_BYTES)
        begin = part.next_offset - len(part.content)
        whole, newline, _ = part.content.rpartition(b"\n")
        if not newline and len(part.content) < PIECE_BYTES:
            return None
        text = whole if newline else part.content
        self.offset = begin + len(text) + len(newline)
        lines = text.decode("utf-8", "replace").split("\n")
        return {"event": LOG, "lines": [line[:MAX_LINE] for line in lines], "offset": self.offset}
