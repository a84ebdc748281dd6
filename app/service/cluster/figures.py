"""The use case of watching the cluster: one look at everything that is worth a figure."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trainyard.errors import StoreUnavailable
from trainyard.scheduling.wake_ups import TASKS
from trainyard.storage.files import Storage
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.runs.run_store import FINISH_QUEUE
from trainyard.store.runs.run_streams import LiveStore
from trainyard.store.runs.statistics import Counted, QueueFigures, StatisticsStore


@dataclass(frozen=True, kw_only=True)
class StoreFigures:
    """What Redis tells; `speeds` are images/s by the id of the worker that trains."""

    queues: Mapping[str, QueueFigures]
    counted: Counted
    workers: list[WorkerState]
    speeds: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class ClusterFigures:
    """One look at the cluster at `now`; what could not be asked is None."""

    now: float
    store: StoreFigures | None
    storage_free_bytes: int | None
    storage_total_bytes: int | None
    event_streams: int


class ClusterFiguresService:
    """Looks at queues, workers, storage and this process."""

    def __init__(
        self,
        statistics: StatisticsStore,
        workers: WorkerStore,
        live: LiveStore,
        storage: Storage,
        streams: Callable[[], int],
    ) -> None:
        """`streams` counts the live streams of this process."""
        self._statistics = statistics
        self._workers = workers
        self._live = live
        self._storage = storage
        self._streams = streams

    def look(self) -> ClusterFigures:
        """The figures: also while Redis or storage is away, which is what a watcher must learn."""
        try:
            store = self._store()
        except StoreUnavailable:
            store = None
        try:
            usage = shutil.disk_usage(self._storage.root)
        except OSError:
            usage = None
        return ClusterFigures(
            now=time.time(),
            store=store,
            storage_free_bytes=usage and usage.free,
            storage_total_bytes=usage and usage.total,
            event_streams=self._streams(),
        )

    def _store(self) -> StoreFigures:
        workers = self._workers.all()
        busy = [(one.id, one.holds) for one in workers if one.holds]
        progresses = self._live.progresses([run_id for _, run_id in busy])
        speeds = {
            worker_id: progress["images_per_second"]
            for (worker_id, _), progress in zip(busy, progresses, strict=True)
            if progress and progress.get("images_per_second") is not None
        }
        return StoreFigures(
            queues={
                **{name: self._statistics.queue(name) for name in sorted(TASKS)},
                FINISH_QUEUE: self._statistics.finish_queue(),
            },
            counted=self._statistics.counted(),
            workers=workers,
            speeds=speeds,
        )
