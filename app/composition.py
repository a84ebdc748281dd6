"""Where the API's parts are put together, once for each application."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import cast

from flask import current_app

from app.http.access.sessions import Sessions
from app.http.streams.feed_sockets import FeedSockets
from app.service.cluster.catalogue import CatalogueService
from app.service.cluster.figures import ClusterFiguresService
from app.service.cluster.health import HealthService
from app.service.cluster.projects import ProjectService
from app.service.cluster.queues_and_workers import YardService
from app.service.cluster.retention import RetentionService
from app.service.cluster.webhooks import WebhookService
from app.service.contracts.studies import StudyService
from app.service.contracts.trainings import TrainingService
from app.service.datasets.datasets import DatasetService
from app.service.datasets.resumable_uploads import ResumableUploads
from app.service.datasets.samples import SampleService
from app.service.datasets.uploads import MAX_UPLOADS
from app.service.models.models import ModelService
from app.service.models.predictions import PredictionService
from app.service.models.weights import WeightsService
from app.service.requests.offers import OfferService
from app.service.requests.shutdown import Shutdown
from app.service.requests.slots import Slots
from app.service.requests.worker_answers import WorkerAnswers
from app.service.run_outputs.boards import BoardService
from app.service.run_outputs.event_feed import EventFeedService
from app.service.run_outputs.events import MAX_STREAMS, RunEvents
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
from trainyard.errors import ImportTimeout, NoImportWorker, TooManyStreams, TooManyUploads
from trainyard.registry.access_keys import AccessKeys
from trainyard.registry.audit import AuditLog
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.kept import draft_records, experiment_records, webhook_records
from trainyard.registry.lifecycle import RunLife
from trainyard.registry.models import ModelRegistry
from trainyard.registry.offered_models import OfferedModels
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.admission import Admission
from trainyard.scheduling.attempt_events import AttemptEvents
from trainyard.scheduling.housekeeping import Caretaker
from trainyard.scheduling.projects import Projects
from trainyard.scheduling.reindex import Reindex
from trainyard.scheduling.wake_ups import Kicker, make_celery
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

EXTENSION = "trainyard"
Kick = Callable[[str], bool]
"""Says that a queue has work; False where the broker is away."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """The use cases, which is all that routes may reach."""

    datasets: DatasetService
    samples: SampleService
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
    stream_slots: Slots
    figures: ClusterFiguresService
    upload_slots: Slots
    catalogue: CatalogueService
    studies: StudyService
    resumable_uploads: ResumableUploads
    drafts: DraftService
    saved_experiments: SavedExperiments
    webhooks: WebhookService
    trainings: TrainingService
    yard: YardService
    projects: ProjectService
    health: HealthService
    access_keys: AccessKeys
    sessions: Sessions
    audit: AuditLog
    projects_of: dict[str, Callable[[str], str | None]]
    caretaker: Caretaker
    webhook_sender: WebhookSender


def compose(settings: Settings, client: Client | None = None, kick: Kick | None = None) -> Services:
    """Wire everything to the settings' Redis and storage, unconnected yet; SettingsError without a Redis."""
    client = client or connect(settings.broker_url)
    celery = make_celery(settings.broker_url)
    kicker = Kicker(celery, client)
    kick = kick or kicker.kick
    storage = Storage(settings.storage, settings.data_root)
    datasets = DatasetRegistry(client, storage, settings.lease)
    runs = RunRegistry(client, storage, settings.lease, settings.max_concurrent)
    queues = QueueStore(client, settings.lease, settings.max_concurrent)
    workers = WorkerStore(client)
    projects = Projects(LimitStore(client), ProjectStore(client), storage)
    experiments = Experiments(settings.configs)
    offers = OfferService(workers)
    dataset_service = DatasetService(
        datasets, UploadStore(client), storage, offers, kick, settings.max_upload_bytes
    )
    resumable = ResumableUploads(storage, dataset_service, settings.max_upload_bytes)
    drafts, locks = draft_records(client, storage), Locks(client)
    experiment_registry = experiment_records(client, storage)
    saved_experiments = SavedExperiments(experiment_registry, runs, experiments, locks)
    waiting = WaitingService(queues, workers, runs)
    run_service = RunService(
        runs,
        datasets,
        storage,
        experiments,
        saved_experiments,
        waiting,
        offers,
        kick,
        settings.device_classes[0],
    )
    life = RunLife(client, storage, runs)
    run_life = RunLifeService(life, run_service, kick)
    run_files = RunFiles(runs, storage)
    studies = _studies(client, storage, run_service, run_life, run_files, dataset_service)
    shutdown, streams, feed = Shutdown(), Slots(MAX_STREAMS, TooManyStreams), EventFeed(client)
    feed_sockets = FeedSockets(feed, shutdown)
    reindex = Reindex(client, storage, datasets, runs)
    models = ModelRegistry(client, storage)
    answers = WorkerAnswers(PredictionStore(client), workers, settings.predict_s)
    import_answers = WorkerAnswers(
        PredictionStore(client, keys.IMPORTS), workers, ANSWER_S, ImportTimeout, NoImportWorker
    )
    admission = Admission(runs, datasets, storage)
    networks = [ip_network(one) for one in settings.webhook_networks]
    webhooks = webhook_records(client, storage)
    kept = (drafts, experiment_registry, webhooks)
    parts = (runs, datasets, models, kept, projects, reindex, admission, kicker)
    caretaker = Caretaker(*parts, AttemptEvents(celery), Turns(client), settings.lease)
    return Services(
        datasets=dataset_service,
        samples=SampleService(datasets, storage),
        runs=run_service,
        run_life=run_life,
        run_bulk=RunBulkService(run_service, run_life),
        reindex=reindex,
        retention=RetentionService(runs, datasets, models, life, storage),
        comparison=RunComparisonService(runs),
        series=MetricSeriesService(runs, storage),
        forks=ForkService(run_service, run_files),
        imports=ImportService(
            runs,
            datasets,
            storage,
            resumable,
            import_answers,
            locks,
            NameStore(client, IMPORTED_SPACE),
            settings.max_upload_bytes,
            settings.device_classes[0],
        ),
        run_events=RunEvents(runs, storage, shutdown),
        event_feed=EventFeedService(feed, runs, storage, shutdown),
        feed_sockets=feed_sockets,
        run_logs=RunLogs(runs, storage, shutdown),
        shutdown=shutdown,
        run_files=run_files,
        boards=BoardService(BoardStore(client), runs, locks),
        models=ModelService(models, runs, datasets, storage),
        predictions=PredictionService(models, answers, storage, settings.max_upload_bytes),
        weights=WeightsService(run_files, answers, storage),
        stream_slots=streams,
        figures=ClusterFiguresService(
            StatisticsStore(client), workers, runs.live, storage, lambda: streams.taken + feed_sockets.taken
        ),
        upload_slots=Slots(MAX_UPLOADS, TooManyUploads),
        catalogue=CatalogueService(experiments, offers),
        studies=studies,
        webhooks=WebhookService(webhooks, DeliveryStore(client), networks),
        webhook_sender=WebhookSender(webhooks, DeliveryStore(client), networks),
        resumable_uploads=resumable,
        drafts=DraftService(drafts, run_service, locks),
        saved_experiments=saved_experiments,
        trainings=TrainingService(run_service, run_files, dataset_service, experiments, storage.data, locks),
        yard=YardService(queues, workers),
        projects=ProjectService(projects, settings.max_concurrent),
        health=HealthService(
            client, storage, (datasets, runs, models, *kept), lambda: caretaker.housekeeping
        ),
        access_keys=AccessKeys(KeyStore(client), storage),
        sessions=Sessions(SessionStore(client)),
        audit=AuditLog(storage),
        projects_of={
            "run_id": runs.project_of,
            "dataset_id": datasets.project_of,
            "model_id": models.project_of,
            "draft_id": drafts.project_of,
            "experiment_id": experiment_registry.project_of,
            "webhook_id": webhooks.project_of,
            "upload_id": resumable.project_of,
        },
        caretaker=caretaker,
    )


def _studies(
    client: Client,
    storage: Storage,
    runs: RunService,
    run_life: RunLifeService,
    run_files: RunFiles,
    datasets: DatasetService,
) -> StudyService:
    names = NameStore(client, STUDY_SPACE)
    return StudyService(names, OfferedModels(names, storage), runs, run_life, run_files, datasets)


def services() -> Services:
    """The services of the application that answers the present request."""
    return cast("Services", current_app.extensions[EXTENSION])
