"""A log whose lines outlast storage that does not take them just now."""

import logging
import os
from collections import deque
from contextlib import suppress

KEPT_LINES = 10_000
"""Lines that wait for storage, the newest ones."""


class LastingLog(logging.Handler):
    """Writes lines to a descriptor, each once and whole: what a write leaves goes before the next line."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: deque[bytes] = deque(maxlen=KEPT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or keep it for later."""
        self._waiting.append(f"{self.format(record)}\n".encode(errors="replace"))
        self.flush()

    def flush(self) -> None:
        """Write what waits, as far as storage takes it."""
        with suppress(OSError):
            while self._waiting:
                line = self._waiting[0]
                written = os.write(self._descriptor, line)
                self._waiting.popleft()
                if written < len(line):
                    self._waiting.appendleft(line[written:])
