"""A worker's signs of life: who it is, and what it has in work."""

import logging
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from trainyard.errors import StoreUnavailable
from trainyard.store.workers import WorkerStore
from trainyard.worker_state import WorkerState
from workers.device import device_of

logger = logging.getLogger(__name__)


class Presence:
    """What others see of this worker; `id` is also the owner in the records that it holds."""

    def __init__(self, workers: WorkerStore, queues: tuple[str, ...]) -> None:
        self._workers = workers
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

    def beat(self) -> None:
        """Give a sign of life; raises StoreUnavailable."""
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
        self._worker = replace(self._worker, holds=holds, since=since)
        try:
            self.beat()
        except StoreUnavailable as error:
            logger.warning("The next sign of life will tell of %s: %s", holds, error.message)
