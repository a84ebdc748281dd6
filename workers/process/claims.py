"""How a worker takes its next piece of work, also where Redis goes away while it is asked."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Generic, TypeVar

from trainyard.errors import StoreUnavailable
from trainyard.lease import Ownership
from trainyard.registry.base import Claimable, Registry

logger = logging.getLogger(__name__)

Record = TypeVar("Record", bound=Claimable)
RETRY_S = 1.0
"""Pause before Redis is asked again what became of a claim."""


class Claims(Generic[Record]):
    """The claims of a worker that works on one record of a queue at a time."""

    def __init__(self, registry: Registry[Record], worker_id: str, draining: threading.Event) -> None:
        self._registry = registry
        self._worker_id = worker_id
        self._draining = draining

    def next(
        self, queue: str, devices: int = 0, offered: Sequence[str] = ()
    ) -> tuple[Record, Ownership] | None:
        """The next record of the queue and the right to it; None where none waits, or the worker leaves.

        The worker has so many `devices`, 0 for any number, and plug-ins with what is `offered`, by the keys
        of offers.
        """
        if self._draining.is_set():
            return None
        asked_at = time.monotonic()
        try:
            record = self._registry.claim(queue, self._worker_id, devices, offered)
        except StoreUnavailable as error:
            logger.warning("A claim from %s has no answer yet: %s", queue, error.message)
            return self._unanswered(queue)
        return self._owned(record, asked_at)

    def _unanswered(self, queue: str) -> tuple[Record, Ownership] | None:
        """What the claim came to: it may have been made, and then nobody but this worker knows of it."""
        while not self._draining.wait(RETRY_S):
            asked_at = time.monotonic()
            try:
                return self._owned(self._registry.held_by(self._worker_id, queue), asked_at)
            except StoreUnavailable:
                continue
        return None

    def _owned(self, record: Record | None, asked_at: float) -> tuple[Record, Ownership] | None:
        return (record, Ownership(self._registry.rules, asked_at)) if record else None
