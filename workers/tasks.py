"""The Celery side of a worker: a notify claims one piece of work and supervises it."""

import logging
import socket
import threading
from dataclasses import dataclass, field
from functools import cached_property

from celery import Celery, signals
from celery.worker.state import revoked

from trainyard.catalog.names import DEVICE_CLASSES
from trainyard.errors import DeviceFault, OwnershipLost, StoreUnavailable
from trainyard.log_context import logging_about
from trainyard.log_format import formatter
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.kept import kept_records
from trainyard.registry.models import ModelRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.admission import Admission
from trainyard.scheduling.attempt_events import AttemptEvents
from trainyard.scheduling.attempt_tasks import attempt_id
from trainyard.scheduling.housekeeping import Housekeeper
from trainyard.scheduling.projects import Projects
from trainyard.scheduling.reindex import Reindex
from trainyard.scheduling.wake_ups import INGEST_TASK, TASKS, TRAIN_TASK, Notifier, make_celery
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.store import keys
from trainyard.store.connection import connect
from trainyard.store.processes.turns import Turns
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.resources.board_store import BoardStore
from trainyard.store.resources.prediction_store import PREDICT_QUEUE, PredictionStore
from trainyard.store.resources.project_store import ProjectStore
from trainyard.store.runs.limits import LimitStore
from trainyard.store.runs.run_store import FINISH_QUEUE
from trainyard.tracing import stop_tracing
from workers.attempt_spans import attempt_at, claim_was_made, now_ns, tell_outcome
from workers.boards.server import BoardServer
from workers.datasets.supervisor import IngestSupervisor
from workers.devices.gpu_check import GpuCheck, needs_gpu
from workers.heartbeat import Presence
from workers.imports.server import ImportServer
from workers.plugins.announced import announced_offers
from workers.predict.server import PredictionServer
from workers.process.beside import Beside
from workers.process.child import await_server
from workers.process.claims import Claims
from workers.process.second_signal import end_at_once_on_another_sigterm
from workers.runs.finishing.finisher import Finisher
from workers.runs.supervisor import RunSupervisor

logger = logging.getLogger(__name__)

DRAINED_S = 0.5
"""How often a worker that takes nothing new looks whether it is to take work again."""
LEAVE_S = 5.0
"""How long a worker that leaves waits for what it does beside its work; housekeeping does the rest."""
CHECK_AGAIN_S = 30.0
"""How long a GPU that cannot be used is left alone before it is tried again."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What the tasks of one worker process share."""

    settings: Settings
    app: Celery
    storage: Storage
    runs: RunRegistry
    datasets: DatasetRegistry
    housekeeper: Housekeeper
    notifier: Notifier
    events: AttemptEvents
    presence: Presence
    workers: WorkerStore
    predictions: PredictionStore
    imports: PredictionStore
    board_store: BoardStore
    gpus: GpuCheck
    beside: Beside
    draining: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def compose(cls, settings: Settings, queues: tuple[str, ...], node: str) -> "Worker":
        """Wire a worker of these queues, of that Celery name, to the Redis and the storage of the settings.

        Raises DeviceFault where they need a GPU and none can be used, SettingsError for plug-ins that cannot
        be imported.
        """
        gpus = GpuCheck(queues)
        client = connect(settings.broker_url)
        storage = Storage(settings.storage, settings.data_root)
        app = make_celery(settings.broker_url)
        runs = RunRegistry(client, storage, settings.lease, settings.max_concurrent)
        datasets = DatasetRegistry(client, storage, settings.lease)
        workers = WorkerStore(client)
        beside = Beside()
        presence = Presence(workers, queues, gpus.gpus(), announced_offers(settings.plugins), beside.do)
        runs.mirror_by = beside.do
        notifier, events = Notifier(app, client), AttemptEvents(app, node)
        limits = Projects(LimitStore(client), ProjectStore(client), storage)
        return cls(
            settings=settings,
            app=app,
            storage=storage,
            runs=runs,
            datasets=datasets,
            housekeeper=Housekeeper(
                runs,
                datasets,
                ModelRegistry(client, storage),
                kept_records(client, storage),
                limits,
                Reindex(client, storage, datasets, runs),
                Admission(runs, datasets, storage),
                notifier,
                events,
                Turns(client),
                settings.lease,
                presence.beat,
            ),
            notifier=notifier,
            events=events,
            presence=presence,
            workers=workers,
            predictions=PredictionStore(client),
            imports=PredictionStore(client, keys.IMPORTS),
            board_store=BoardStore(client),
            gpus=gpus,
            beside=beside,
        )

    @cached_property
    def finisher(self) -> Finisher:
        """What finishes trained runs beside the one that is trained."""
        return Finisher(
            self.runs,
            self.storage,
            self.presence,
            self.events,
            self.draining,
            self._threads,
            self.settings.max_hours,
            lambda attempt: attempt in revoked,
        )

    @cached_property
    def predicting(self) -> PredictionServer:
        """What answers predictions beside the ingest."""
        return PredictionServer(
            self.predictions, self.settings.storage, self.presence.id, self.draining, self._threads
        )

    @cached_property
    def importing(self) -> ImportServer:
        """What takes in experiments beside that."""
        return ImportServer(self.imports, self.settings.storage, self.presence.id, self.draining)

    @cached_property
    def boards(self) -> BoardServer:
        """What runs boards beside the ingest."""
        host = self.settings.boards_host
        return BoardServer(self.board_store, self.storage, self.presence.id, host, self.draining)

    def train_waiting(self, queue: str) -> None:
        """Train what waits in the queue, one run after the other: a message for each would cost more time.

        Where a worker serves several classes each run has one all the same, so that they take turns.
        """
        while self.train(queue):
            if self.presence.trains_several:
                self.notifier.notify(queue)
                return

    def train(self, queue: str) -> bool:
        """Claim the next run of the queue and train it; whether to look for another at once."""
        await_server()
        self._await_end_of_drain()
        if not self._has_device_for(queue):
            return False
        devices = self.presence.devices if needs_gpu(queue) else 0
        asked_ns = now_ns()
        claimed = Claims(self.runs, self.presence.id, self.draining).next(
            queue, devices, self.presence.offered
        )
        if claimed is None:
            return False
        run, ownership = claimed
        claim_was_made(run, asked_ns, queue)
        supervisor = RunSupervisor(
            self.runs,
            self.storage,
            self._threads(),
            self.draining,
            run,
            ownership,
            self.settings.max_hours,
            lambda: attempt_id(run) in revoked,
        )
        about = {"run": run.id, "attempt": run.fence, "worker": self.presence.id}
        with (
            self.presence.holding(run.id, run.fence),
            logging_about(**about),
            attempt_at(run, about) as told,
        ):
            self.events.begin(run)
            try:
                supervisor.supervise()
            finally:
                self.events.end(run, supervisor.ended)
                tell_outcome(told, supervisor.ended)
        self.finisher.wake()
        if supervisor.has_failed:
            self.gpus.doubt()
        if supervisor.has_failed or self.draining.is_set():
            self.notifier.notify(queue)  # it may wait again, and nobody else would say so at once
            return False
        return True

    def _await_end_of_drain(self) -> None:
        """Keep the one wake-up that it has taken for as long as it is to take nothing new."""
        while self.presence.is_drained and not self.draining.wait(DRAINED_S):
            pass

    def _has_device_for(self, queue: str) -> bool:
        """Whether runs of the queue can train here; where not, returns some time later, and is asked again.

        Until its GPU passes again this worker claims nothing for it, or it would fail run after run.
        """
        if not needs_gpu(queue):
            return True
        try:
            self.gpus.gpus()
        except DeviceFault as error:
            logger.error("%s %s", error.message, error.remedy)
            self.presence.fail()
            self.draining.wait(CHECK_AGAIN_S)
            return False
        self.presence.recover()
        return True

    def _threads(self) -> int:
        """The threads of a training process: what is set, or this machine's cores over its workers."""
        if self.settings.threads_are_given:
            return self.settings.threads
        try:
            others = training_workers_beside(self.presence.id, self.workers.all())
        except StoreUnavailable:  # a run that is claimed is trained, if on too many threads
            others = 0
        return max(1, self.settings.threads // (others + 1))

    def ingest(self, queue: str) -> None:
        """Claim the next data set of the queue and ingest it."""
        await_server()
        self._await_end_of_drain()
        asked_ns = now_ns()
        claimed = Claims(self.datasets, self.presence.id, self.draining).next(
            queue, offered=self.presence.offered
        )
        if claimed:
            dataset, ownership = claimed
            claim_was_made(dataset, asked_ns, queue)
            supervisor = IngestSupervisor(
                self.datasets,
                self.storage,
                self.draining,
                dataset,
                ownership,
                lambda: attempt_id(dataset) in revoked,
            )
            try:
                about = {"dataset": dataset.id, "attempt": dataset.fence, "worker": self.presence.id}
                with (
                    self.presence.holding(dataset.id, dataset.fence),
                    logging_about(**about),
                    attempt_at(dataset, about, "ingest") as told,
                ):
                    self.events.begin(dataset)
                    supervisor.supervise()
                    tell_outcome(told, supervisor.ended)
            except OwnershipLost as error:
                logger.warning("%s", error.message)
            finally:
                self.events.end(dataset, supervisor.ended)


def training_workers_beside(worker_id: str, workers: list[WorkerState]) -> int:
    """How many other workers of this machine train."""
    return sum(
        worker.id != worker_id
        and worker.host == socket.gethostname()
        and bool({*worker.queues} & {*DEVICE_CLASSES})
        for worker in workers
    )


def register(worker: Worker, queues: tuple[str, ...]) -> None:
    """Give the worker's Celery application the tasks of these queues and its life cycle."""
    work = {TRAIN_TASK: worker.train_waiting, INGEST_TASK: worker.ingest}
    for task in {TASKS[queue] for queue in queues if queue in TASKS}:
        worker.app.task(name=task, send_events=False)(work[task])  # monitors see attempts, not wake-ups

    def ready(**_: object) -> None:
        worker.housekeeper.start(worker.draining)
        if FINISH_QUEUE in queues:
            worker.finisher.start()
        if PREDICT_QUEUE in queues:
            worker.predicting.start()
            worker.importing.start()
            worker.boards.start()

    def drain(sig: str = "", **_: object) -> None:
        worker.draining.set()
        worker.finisher.wake()
        if sig == "SIGTERM":
            end_at_once_on_another_sigterm()

    def leave(**_: object) -> None:
        worker.draining.set()
        worker.finisher.join()
        worker.predicting.join()
        worker.importing.join()
        worker.boards.join()
        worker.beside.finish(LEAVE_S)
        worker.presence.leave()
        worker.events.close()
        stop_tracing()

    def log_in_utc(logger: logging.Logger, format: str, **_: object) -> None:
        for handler in logger.handlers:
            handler.setFormatter(formatter(worker.settings.log_format, format))

    signals.after_setup_logger.connect(log_in_utc, weak=False)
    signals.worker_ready.connect(ready, weak=False)
    signals.worker_shutting_down.connect(drain, weak=False)
    signals.worker_shutdown.connect(leave, weak=False)
