"""How logs are written: text that begins with the time in UTC, or JSON, an object a line."""

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from trainyard.log_context import log_context

TEXT, JSON = "text", "json"
LOG_FORMATS = (TEXT, JSON)


class UtcFormatter(logging.Formatter):
    """`2026-11-28 21:11:04,075Z INFO ...`, whatever zone the machine is in."""

    default_msec_format = "%s,%03dZ"

    def __init__(self, log_format: str) -> None:
        super().__init__(log_format)
        self.converter = time.gmtime


class JsonFormatter(logging.Formatter):
    """An object: `time`, `level`, `logger`, `message`, perhaps `exception`, and what the line is about, such
    as `request`, `run`, `attempt` and `worker`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            **self.content(record),
            **log_context(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)

    def content(self, record: logging.LogRecord) -> dict[str, Any]:
        """What the line says."""
        return {"message": record.getMessage()}


def formatter(kind: str, text_format: str) -> logging.Formatter:
    """That of one of LOG_FORMATS; `text_format` is how a line of text is put together."""
    return JsonFormatter() if kind == JSON else UtcFormatter(text_format)


def log_in_utc(log_format: str, handler: logging.Handler | None = None, kind: str = TEXT) -> None:
    """Log from INFO on to standard error, or by a handler that takes the place of what logged before."""
    handlers = [handler or logging.StreamHandler()]
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=handler is not None)
    for one in logging.getLogger().handlers:
        one.setFormatter(formatter(kind, log_format))
