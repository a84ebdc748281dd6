"""A worker's signs of life: who it is, and what it has in work."""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from trainyard.errors import StoreUnavailable
from trainyard.store.workers import WorkerStore
from trainyard.worker_state import Housekeeping, WorkerState
from workers.device import device_of

logger = logging.getLogger(__name__)


class Presence:
    """What others see of this worker; `id` is also the owner in the records that it holds."""

    def __init__(self, workers: WorkerStore, queues: tuple[str, ...]) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        host, pid = socket.gethostname(), os.getpid()
        device, memory = device_of(queues, os.environ.get("CUDA_VISIBLE_DEVICES"))
        self._worker = WorkerState(
            id=f"{host}:{pid}:{uuid.uuid4().hex[:8]}",
            host=host,
            pid=pid,
            queues=queues,
            device=device,
            memory_bytes=memory,
            started_at=time.time(),
        )

    @property
    def id(self) -> str:
        """The same as long as the process lives."""
        return self._worker.id

    def beat(self, housekeeping: Housekeeping | None = None) -> None:
        """Give a sign of life, and say how housekeeping stands if that is known; raises StoreUnavailable."""
        if housekeeping:
            ago = housekeeping.seconds_ago
            at = None if ago is None else time.time() - ago
            self._set(housekeeping_at=at, is_stalled=housekeeping.is_stalled)
        self._workers.beat(self._worker)

    @contextmanager
    def holding(self, record_id: str) -> Iterator[None]:
        """Within the block the worker is seen to work on that record."""
        self._change(record_id, time.time())
        try:
            yield
        finally:
            self._change(None, None)

    def _change(self, holds: str | None, since: float | None) -> None:
        self._set(holds=holds, since=since)
        try:
            self.beat()
        except StoreUnavailable as error:
            logger.warning("The next sign of life will tell of %s: %s", holds, error.message)

    def _set(self, **values: Any) -> None:
        with self._lock:  # the task's thread and that of the heartbeat both do
            self._worker = replace(self._worker, **values)
