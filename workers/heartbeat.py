"""A worker's signs of life: who it is, and what it has in work."""

import logging
import os
import platform
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from trainyard.catalog.names import DEVICE_CLASSES
from trainyard.errors import StoreUnavailable
from trainyard.plugins.offers import Offer
from trainyard.spec.training_spec import SPEC_VERSION
from trainyard.store.processes.worker_record import Housekeeping, WorkerState
from trainyard.store.processes.workers import WorkerStore
from trainyard.version import VERSION
from workers.devices.device_class import device_figures, device_of
from workers.devices.gpu_check import FoundGpu, needs_gpu
from workers.process.beside import Act, at_once

logger = logging.getLogger(__name__)

_COMPUTES_WITH = ("torch", "lightning", "segmentation-models-pytorch", "timm", "onnxruntime")


class Presence:
    """What others see of this worker; `id` is also the owner in the records that it holds."""

    def __init__(
        self,
        workers: WorkerStore,
        queues: tuple[str, ...],
        gpus: tuple[FoundGpu, ...] = (),
        offers: tuple[Offer, ...] = (),
        beside: Callable[[Act], None] = at_once,
    ) -> None:
        """`gpus` are those that its runs may use, `offers` what its plug-ins have; `beside` does what is not
        waited for."""
        self._beside = beside
        self._workers = workers
        self._lock = threading.Lock()
        self._queues = self._able = queues
        self._has_left = False
        self._visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        host, pid = socket.gethostname(), os.getpid()
        device, memory = _named(gpus) if gpus else device_of(queues, self._visible)
        self._worker = WorkerState(
            id=f"{host}:{pid}:{uuid.uuid4().hex[:8]}",
            host=host,
            pid=pid,
            queues=queues,
            device=device,
            memory_bytes=memory,
            started_at=time.time(),
            devices=len(gpus),
            spec_version=SPEC_VERSION,
            versions=_versions(),
            offers=offers,
        )

    @property
    def id(self) -> str:
        """The same as long as the process lives."""
        return self._worker.id

    def beat(self, housekeeping: Housekeeping | None = None) -> None:
        """Give a sign of life, and say how housekeeping stands and what devices do if housekeeping is known;
        raises StoreUnavailable."""
        if housekeeping:
            ago = housekeeping.seconds_ago
            at = None if ago is None else time.time() - ago
            figures = device_figures(self._queues, self._visible)
            self._set(housekeeping_at=at, is_stalled=housekeeping.is_stalled, figures=figures)
            self._note_drain()
        if not self._has_left:
            self._workers.beat(self._worker)

    @property
    def is_drained(self) -> bool:
        """Whether it is to take nothing new, as far as it has been told by its last sign of life."""
        return self._worker.is_drained

    def _note_drain(self) -> None:
        is_drained = self._workers.is_drained(self.id)
        if is_drained != self._worker.is_drained:
            logger.warning("This worker %s.", "takes nothing new" if is_drained else "takes work again")
            self._set(is_drained=is_drained, queues=() if is_drained else self._able)

    def leave(self) -> None:
        """Strike this worker off as it ends: those that stay would share the machine's cores with it."""
        self._has_left = True
        try:
            self._workers.leave(self.id)
        except StoreUnavailable as error:
            logger.warning("%s is listed for some seconds more: %s", self.id, error.message)

    @property
    def offered(self) -> tuple[str, ...]:
        """The keys of what its plug-ins offer."""
        return tuple(offer.key for offer in self._worker.offers)

    @property
    def trains_several(self) -> bool:
        """Whether it serves more than one device class."""
        return len({*self._queues} & {*DEVICE_CLASSES}) > 1

    @property
    def devices(self) -> int:
        """How many GPUs its runs may use, 0 for a worker without."""
        return self._worker.devices

    def fail(self) -> None:
        """Say that it takes no runs that need a GPU until `recover`."""
        self._serve(tuple(queue for queue in self._queues if not needs_gpu(queue)))

    def recover(self) -> None:
        """Say that it serves all of its queues again."""
        self._serve(self._queues)

    def _serve(self, queues: tuple[str, ...]) -> None:
        self._able = queues
        if not self.is_drained and queues != self._worker.queues:
            self._change(queues=queues)

    @contextmanager
    def holding(self, record_id: str, attempt: int | None = None) -> Iterator[None]:
        """Within the block the worker is seen to work on that record."""
        self._change(holds=record_id, attempt=attempt, since=time.time())
        try:
            yield
        finally:
            self._change(holds=None, attempt=None, since=None)

    @contextmanager
    def finishing(self, run_id: str) -> Iterator[None]:
        """Within the block the worker is seen to finish that run, whatever it trains meanwhile."""
        self._change(finishing=run_id)
        try:
            yield
        finally:
            self._change(finishing=None)

    def _change(self, **values: Any) -> None:
        self._set(**values)
        self._beside(lambda: self._beat_of(values))

    def _beat_of(self, values: dict[str, Any]) -> None:
        try:
            self.beat()
        except StoreUnavailable as error:
            logger.warning("The next sign of life will tell of %s: %s", values, error.message)

    def _set(self, **values: Any) -> None:
        with self._lock:  # the task's thread and that of the heartbeat both do
            self._worker = replace(self._worker, **values)


def _versions() -> dict[str, str]:
    """Of what decides how a run is trained; what is not installed is left out."""
    found = {"trainyard": VERSION, "python": platform.python_version()}
    for name in _COMPUTES_WITH:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _named(gpus: tuple[FoundGpu, ...]) -> tuple[str, int]:
    """The name and the memory of the first, and of several their number."""
    name, memory = gpus[0].name, gpus[0].memory_bytes
    return (f"{len(gpus)} × {name}" if len(gpus) > 1 else name), memory
