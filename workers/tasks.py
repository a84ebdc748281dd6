"""The Celery side of a worker: a kick claims one piece of work and supervises it."""

import logging
import threading
import time
from dataclasses import dataclass, field

from celery import Celery, signals

from trainyard.caretaker import Caretaker
from trainyard.dataset_registry import DatasetRegistry
from trainyard.errors import OwnershipLost
from trainyard.lease import Ownership
from trainyard.log_format import UtcFormatter
from trainyard.projects import ProjectLimits
from trainyard.queue import INGEST_TASK, TRAIN_TASK, Kicker, make_celery
from trainyard.reindex import Reindex
from trainyard.run_registry import RunRegistry
from trainyard.settings import Settings
from trainyard.storage import Storage
from trainyard.store.connection import connect
from trainyard.store.limits import LimitStore
from trainyard.store.workers import WorkerStore
from workers.child import await_server
from workers.ingest_supervisor import IngestSupervisor
from workers.presence import Presence
from workers.supervisor import RunSupervisor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What the tasks of one worker process share."""

    settings: Settings
    app: Celery
    storage: Storage
    runs: RunRegistry
    datasets: DatasetRegistry
    caretaker: Caretaker
    kicker: Kicker
    presence: Presence
    draining: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def compose(cls, settings: Settings, queues: tuple[str, ...]) -> "Worker":
        """Wire a worker of these queues to the Redis and the storage of the settings."""
        client = connect(settings.broker_url)
        storage = Storage(settings.storage)
        app = make_celery(settings.broker_url)
        runs = RunRegistry(client, storage, settings.lease, settings.max_concurrent)
        datasets = DatasetRegistry(client, storage, settings.lease)
        presence = Presence(WorkerStore(client), queues)
        kicker = Kicker(app, client)
        limits = ProjectLimits(LimitStore(client), storage)
        return cls(
            settings=settings,
            app=app,
            storage=storage,
            runs=runs,
            datasets=datasets,
            caretaker=Caretaker(
                runs,
                datasets,
                limits,
                Reindex(client, storage, datasets, runs),
                kicker,
                settings.lease,
                presence.beat,
            ),
            kicker=kicker,
            presence=presence,
        )

    def train(self, queue: str) -> None:
        """Claim the next run of the queue and train it."""
        await_server()
        asked_at = time.monotonic()
        run = None if self.draining.is_set() else self.runs.claim(queue, self.presence.id)
        if run:
            ownership = Ownership(self.settings.lease, asked_at)
            threads, max_hours = self.settings.threads, self.settings.max_hours
            with self.presence.holding(run.id):
                RunSupervisor(
                    self.runs, self.storage, threads, self.draining, run, ownership, max_hours
                ).supervise()
            self.kicker.kick(queue)  # it may wait again, and nobody else would say so at once

    def ingest(self, queue: str) -> None:
        """Claim the next data set of the queue and ingest it."""
        await_server()
        asked_at = time.monotonic()
        dataset = None if self.draining.is_set() else self.datasets.claim(queue, self.presence.id)
        if dataset:
            ownership = Ownership(self.settings.lease, asked_at)
            supervisor = IngestSupervisor(self.datasets, self.storage, self.draining, dataset, ownership)
            try:
                with self.presence.holding(dataset.id):
                    supervisor.supervise()
            except OwnershipLost as error:
                logger.warning("%s", error.message)


def register(worker: Worker, task: str) -> None:
    """Give the worker's Celery application its task and its life cycle."""
    work = {TRAIN_TASK: worker.train, INGEST_TASK: worker.ingest}[task]
    worker.app.task(name=task)(work)

    def ready(**_: object) -> None:
        worker.caretaker.start(worker.draining)

    def drain(**_: object) -> None:
        worker.draining.set()

    def log_in_utc(logger: logging.Logger, format: str, **_: object) -> None:
        for handler in logger.handlers:
            handler.setFormatter(UtcFormatter(format))

    signals.after_setup_logger.connect(log_in_utc, weak=False)
    signals.worker_ready.connect(ready, weak=False)
    signals.worker_shutting_down.connect(drain, weak=False)
