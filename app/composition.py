"""Where the API's parts are put together, once for each application."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, cast

from flask import current_app

from app.http.access.sessions import Sessions
from app.http.streams.feed_sockets import FeedSockets
from app.service.cluster.catalogue import CatalogueService
from app.service.cluster.figures import ClusterFiguresService
from app.service.cluster.health import HealthService
from app.service.cluster.projects import ProjectService
from app.service.cluster.queues_and_workers import ClusterService
from app.service.cluster.retention import RetentionService
from app.service.cluster.webhooks import WebhookService
from app.service.contracts.studies import StudyService
from app.service.contracts.trainings import TrainingService
from app.service.datasets.datasets import DatasetService
from app.service.datasets.resumable_uploads import ResumableUploads
from app.service.datasets.samples import SampleService
from app.service.datasets.uploads import MAX_UPLOADS
from app.service.hidden_pictures import HiddenPictures
from app.service.models.models import ModelService
from app.service.models.predictions import PredictionService
from app.service.models.weights import WeightsService
from app.service.requests.offers import OfferService
from app.service.requests.shutdown import Shutdown
from app.service.requests.slots import Slots
from app.service.requests.worker_answers import WorkerAnswers
from app.service.run_outputs.boards import BoardService
from app.service.run_outputs.event_feed import EventFeedService
from app.service.run_outputs.events import RunEvents
from app.service.run_outputs.files import RunFiles
from app.service.run_outputs.logs import RunLogs
from app.service.runs.bulk import RunBulkService
from app.service.runs.comparison import RunComparisonService
from app.service.runs.drafts import DraftService
from app.service.runs.forks import ForkService
from app.service.runs.imports import ANSWER_S, ImportService
from app.service.runs.life import RunLifeService
from app.service.runs.metric_series import MetricSeriesService
from app.service.runs.runs import RunService
from app.service.runs.saved_experiments import SavedExperiments
from app.service.runs.waiting import WaitingService
from trainyard.errors import ImportTimeout, NoImportWorker, TooManyUploads
from trainyard.library.draft import Draft
from trainyard.library.saved_experiment import SavedExperiment
from trainyard.registry.access_keys import AccessKeys
from trainyard.registry.audit import AuditLog
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.kept import KeptRecords, draft_records, experiment_records, webhook_records
from trainyard.registry.lifecycle import RunLife
from trainyard.registry.models import ModelRegistry
from trainyard.registry.offered_models import OfferedModels
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.admission import Admission
from trainyard.scheduling.attempt_events import AttemptEvents
from trainyard.scheduling.housekeeping import Housekeeper
from trainyard.scheduling.projects import Projects
from trainyard.scheduling.reindex import Reindex
from trainyard.scheduling.wake_ups import Notifier, make_celery
from trainyard.scheduling.webhook_sender import WebhookSender
from trainyard.settings import Settings
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.store import keys
from trainyard.store.connection import Client, connect
from trainyard.store.processes.locks import Locks
from trainyard.store.processes.turns import Turns
from trainyard.store.processes.uploads import UploadStore
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.resources.aliases import IMPORTED_SPACE, STUDY_SPACE, NameStore
from trainyard.store.resources.board_store import BoardStore
from trainyard.store.resources.key_store import KeyStore
from trainyard.store.resources.prediction_store import PredictionStore
from trainyard.store.resources.project_store import ProjectStore
from trainyard.store.resources.session_store import SessionStore
from trainyard.store.resources.webhook_store import DeliveryStore
from trainyard.store.runs.event_feed import EventFeed
from trainyard.store.runs.limits import LimitStore
from trainyard.store.runs.queues import QueueStore
from trainyard.store.runs.statistics import StatisticsStore
from trainyard.webhooks.record import Webhook

EXTENSION = "trainyard"
Notify = Callable[[str], bool]
"""Says that a queue has work; False where the broker is away."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """The use cases, which is all that routes may reach."""

    datasets: DatasetService
    samples: SampleService
    hidden_pictures: HiddenPictures
    runs: RunService
    run_life: RunLifeService
    run_bulk: RunBulkService
    retention: RetentionService
    reindex: Reindex
    comparison: RunComparisonService
    series: MetricSeriesService
    forks: ForkService
    imports: ImportService
    run_events: RunEvents
    event_feed: EventFeedService
    feed_sockets: FeedSockets
    run_logs: RunLogs
    shutdown: Shutdown
    run_files: RunFiles
    boards: BoardService
    models: ModelService
    predictions: PredictionService
    weights: WeightsService
    figures: ClusterFiguresService
    upload_slots: Slots
    catalogue: CatalogueService
    studies: StudyService
    resumable_uploads: ResumableUploads
    drafts: DraftService
    saved_experiments: SavedExperiments
    webhooks: WebhookService
    trainings: TrainingService
    cluster: ClusterService
    projects: ProjectService
    health: HealthService
    access_keys: AccessKeys
    sessions: Sessions
    audit: AuditLog
    projects_of: dict[str, Callable[[str], str | None]]
    housekeeper: Housekeeper
    webhook_sender: WebhookSender


@dataclass(frozen=True, kw_only=True)
class _Records:
    """What Redis and storage keep, unconnected yet: the use cases are over these."""

    client: Client
    storage: Storage
    datasets: DatasetRegistry
    runs: RunRegistry
    life: RunLife
    models: ModelRegistry
    drafts: KeptRecords[Draft]
    experiments: KeptRecords[SavedExperiment]
    webhooks: KeptRecords[Webhook]
    workers: WorkerStore
    projects: Projects
    locks: Locks

    @classmethod
    def over(cls, client: Client, settings: Settings) -> "_Records":
        storage = Storage(settings.storage, settings.data_root)
        runs = RunRegistry(client, storage, settings.lease, settings.max_concurrent)
        return cls(
            client=client,
            storage=storage,
            datasets=DatasetRegistry(client, storage, settings.lease),
            runs=runs,
            life=RunLife(client, storage, runs),
            models=ModelRegistry(client, storage),
            drafts=draft_records(client, storage),
            experiments=experiment_records(client, storage),
            webhooks=webhook_records(client, storage),
            workers=WorkerStore(client),
            projects=Projects(LimitStore(client), ProjectStore(client), storage),
            locks=Locks(client),
        )

    @property
    def kept(self) -> tuple[KeptRecords[Any], ...]:
        """Those that wait for no work."""
        return self.drafts, self.experiments, self.webhooks


def compose(settings: Settings, client: Client | None = None, notify: Notify | None = None) -> Services:
    """Wire everything to the settings' Redis and storage, unconnected yet; SettingsError without a Redis."""
    client = client or connect(settings.broker_url)
    celery = make_celery(settings.broker_url)
    notifier = Notifier(celery, client)
    notify = notify or notifier.notify
    records = _Records.over(client, settings)
    datasets, runs, storage, workers = records.datasets, records.runs, records.storage, records.workers
    queues = QueueStore(client, settings.lease, settings.max_concurrent)
    experiments, offers = Experiments(settings.configs), OfferService(workers)
    saved_experiments = SavedExperiments(records.experiments, runs, experiments, records.locks)
    dataset_service = DatasetService(
        datasets, UploadStore(client), storage, offers, notify, settings.max_upload_bytes
    )
    resumable = ResumableUploads(storage, dataset_service, settings.max_upload_bytes)
    run_service = RunService(
        runs,
        datasets,
        storage,
        experiments,
        saved_experiments,
        WaitingService(queues, workers, runs),
        offers,
        notify,
        settings.device_classes[0],
    )
    run_life, run_files = RunLifeService(records.life, run_service, notify), RunFiles(runs, storage)
    shutdown, feed = Shutdown(), EventFeed(client)
    feed_sockets = FeedSockets(feed, runs, shutdown)
    answers = WorkerAnswers(PredictionStore(client), workers, settings.predict_s)
    networks, deliveries = [ip_network(one) for one in settings.webhook_networks], DeliveryStore(client)
    reindex = Reindex(client, storage, datasets, runs)
    housekeeper = _housekeeper(records, reindex, notifier, AttemptEvents(celery), settings)
    return Services(
        datasets=dataset_service,
        samples=SampleService(datasets, storage),
        hidden_pictures=HiddenPictures(settings.hidden_pictures),
        runs=run_service,
        run_life=run_life,
        run_bulk=RunBulkService(run_service, run_life),
        reindex=reindex,
        retention=RetentionService(runs, datasets, records.models, records.life, storage),
        comparison=RunComparisonService(runs),
        series=MetricSeriesService(runs, storage),
        forks=ForkService(run_service, run_files),
        imports=_imports(records, resumable, settings),
        run_events=RunEvents(runs, storage),
        event_feed=EventFeedService(feed, runs, storage),
        feed_sockets=feed_sockets,
        run_logs=RunLogs(runs, storage),
        shutdown=shutdown,
        run_files=run_files,
        boards=BoardService(BoardStore(client), runs, records.locks),
        models=ModelService(records.models, runs, datasets, storage),
        predictions=PredictionService(records.models, answers, storage, settings.max_upload_bytes),
        weights=WeightsService(run_files, answers, storage),
        figures=ClusterFiguresService(
            StatisticsStore(client), workers, runs.live, storage, lambda: feed_sockets.taken
        ),
        upload_slots=Slots(MAX_UPLOADS, TooManyUploads),
        catalogue=CatalogueService(experiments, offers),
        studies=_studies(records, run_service, run_life, run_files, dataset_service),
        webhooks=WebhookService(records.webhooks, deliveries, networks),
        webhook_sender=WebhookSender(records.webhooks, deliveries, networks),
        resumable_uploads=resumable,
        drafts=DraftService(records.drafts, run_service, records.locks),
        saved_experiments=saved_experiments,
        trainings=TrainingService(
            run_service, run_files, dataset_service, experiments, storage.data, records.locks
        ),
        cluster=ClusterService(queues, workers),
        projects=ProjectService(records.projects, settings.max_concurrent),
        health=HealthService(
            client,
            storage,
            (datasets, runs, records.models, *records.kept),
            lambda: housekeeper.housekeeping,
        ),
        access_keys=AccessKeys(KeyStore(client), storage),
        sessions=Sessions(SessionStore(client)),
        audit=AuditLog(storage),
        projects_of=_projects_of(records, resumable),
        housekeeper=housekeeper,
    )


def _housekeeper(
    records: _Records, reindex: Reindex, notifier: Notifier, events: AttemptEvents, settings: Settings
) -> Housekeeper:
    runs, datasets = records.runs, records.datasets
    return Housekeeper(
        runs,
        datasets,
        records.models,
        records.kept,
        records.projects,
        reindex,
        Admission(runs, datasets, records.storage),
        notifier,
        events,
        Turns(records.client),
        settings.lease,
    )


def _imports(records: _Records, resumable: ResumableUploads, settings: Settings) -> ImportService:
    client = records.client
    answers = WorkerAnswers(
        PredictionStore(client, keys.IMPORTS), records.workers, ANSWER_S, ImportTimeout, NoImportWorker
    )
    return ImportService(
        records.runs,
        records.datasets,
        records.storage,
        resumable,
        answers,
        records.locks,
        NameStore(client, IMPORTED_SPACE),
        settings.max_upload_bytes,
        settings.device_classes[0],
    )


def _studies(
    records: _Records,
    runs: RunService,
    run_life: RunLifeService,
    run_files: RunFiles,
    datasets: DatasetService,
) -> StudyService:
    names = NameStore(records.client, STUDY_SPACE)
    offered = OfferedModels(names, records.storage)
    return StudyService(names, offered, runs, run_life, run_files, datasets)


def _projects_of(records: _Records, resumable: ResumableUploads) -> dict[str, Callable[[str], str | None]]:
    """Whose project each id in a path is of, by its name there."""
    return {
        "run_id": records.runs.project_of,
        "dataset_id": records.datasets.project_of,
        "model_id": records.models.project_of,
        "draft_id": records.drafts.project_of,
        "experiment_id": records.experiments.project_of,
        "webhook_id": records.webhooks.project_of,
        "upload_id": resumable.project_of,
    }


def services() -> Services:
    """The services of the application that answers the present request."""
    return cast("Services", current_app.extensions[EXTENSION])
