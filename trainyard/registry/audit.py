"""The audit log: refusals and acts of admins, one a line of JSON in storage."""

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trainyard.storage.files import Storage

logger = logging.getLogger(__name__)


class AuditLog:
    """Adds lines; several processes may do so at once."""

    def __init__(self, storage: Storage) -> None:
        self._file = storage.audit

    def add(self, act: str, who: str, **details: Any) -> None:
        """Keep a line. Storage that does not take it keeps nobody from an answer: the process' log has it."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = _line({"at": now, "act": act, "who": who, **details})
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line)  # one write: lines of several processes do not mix
            finally:
                os.close(descriptor)
        except OSError as error:
            logger.warning("Not in the audit log (%s): %s", error.strerror, line.decode().rstrip())


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b"\n"
