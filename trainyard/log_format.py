"""How lines of a log begin: in UTC, as the API tells times, and saying so."""

import logging
import time


class UtcFormatter(logging.Formatter):
    """`2026-11-28 21:11:04,075Z INFO ...`, whatever zone the machine is in."""

    default_msec_format = "%s,%03dZ"

    def __init__(self, log_format: str) -> None:
        super().__init__(log_format)
        self.converter = time.gmtime


def log_in_utc(log_format: str, handler: logging.Handler | None = None) -> None:
    """Log from INFO on to standard error, or by a handler that takes the place of what logged before."""
    handlers = [handler or logging.StreamHandler()]
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=handler is not None)
    for one in logging.getLogger().handlers:
        one.setFormatter(UtcFormatter(log_format))
