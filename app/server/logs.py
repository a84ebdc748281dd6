"""What the server writes to its logs: a line for each request, and no query, since a key may be in it."""

import logging
import re
import string
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from gunicorn.config import Config
from gunicorn.glogging import Logger

from trainyard.log_format import JsonFormatter

ACCESS_FORMAT = '%(t)s %(h)s "%(m)s %(path)s" %(s)s %(B)s %(L)ss %({x-request-id}o)s'
"""Time, client, method and path, status, bytes of the body, seconds, request id."""
_TEXTS = {"method": "m", "path": "path", "address": "h", "request": "{x-request-id}o"}
_QUERY = re.compile(r"\?[^\s'\"]*")


class QuerylessLogger(Logger):  # type: ignore[misc]
    """gunicorn's loggers."""

    def setup(self, cfg: Config) -> None:
        """Add what cuts queries off what gunicorn says of requests that it cannot read or serve."""
        super().setup(cfg)
        self.error_log.addFilter(_cut_queries)

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        """Parts of the line of a request; `path` is as it was sent, on one line whatever it holds."""
        path = str(environ.get("RAW_URI", "-")).partition("?")[0]
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {**found, "path": quote(path, safe=string.punctuation)}


class AccessJsonFormatter(JsonFormatter):
    """A line of a request in parts."""

    def content(self, record: logging.LogRecord) -> dict[str, Any]:
        """Method, path, status, bytes of the body, seconds, client and request."""
        atoms = cast("Mapping[str, Any]", record.args)
        return {
            "message": f"{atoms['m']} {atoms['path']} {atoms['s']}",
            **{name: str(atoms[atom]) for name, atom in _TEXTS.items()},
            "status": int(atoms["s"]),
            "bytes": int(atoms["B"] or 0),
            "seconds": float(atoms["L"]),
        }


class JsonLogger(QuerylessLogger):
    """The same in JSON."""

    def setup(self, cfg: Config) -> None:
        """Give gunicorn's handlers the formatters of JSON."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())
        for handler in self.access_log.handlers:
            handler.setFormatter(AccessJsonFormatter())


def _cut_queries(record: logging.LogRecord) -> bool:
    record.msg, record.args = _QUERY.sub("?...", record.getMessage()), ()
    return True
