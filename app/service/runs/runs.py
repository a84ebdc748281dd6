"""Use cases of runs: submit, read, change, stop."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from app.service.requests.keyed import fingerprint, keyed_id, refuse_other
from app.service.requests.offers import OfferService
from app.service.requests.rollback import rollback_on_error
from app.service.runs.dataset_content import with_content
from app.service.runs.saved_experiments import SavedExperiments
from app.service.runs.waiting import Waiting, WaitingService
from trainyard.access import require_project
from trainyard.datasets.record import Dataset, DatasetStatus
from trainyard.errors import Conflict, NotFound, StoreUnavailable
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.config_file import write_config
from trainyard.runs.dataset_checks import check_dataset, check_device, fitted
from trainyard.runs.fork_origin import keep_origin
from trainyard.runs.record import ForkedFrom, Run, RunStatus
from trainyard.runs.signals import Signals, StopWhen
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import Storage
from trainyard.storage.ids import new_run_id
from trainyard.store.records import Page
from trainyard.store.runs.run_lists import RunQuery

REQUEST_LABEL = "request"
"""The label under which a run keeps the fingerprint of the request that made it."""
NAME_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a client asks for; None where it leaves the choice to the server.

    The spec is laid over an experiment and the defaults, that of a fork over the spec of the forked run.
    """

    dataset_id: str
    experiment: str | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    project: str | None = None
    notes: str = ""
    tags: Sequence[str] = ()
    group: str | None = None
    priority: int = 0
    max_hours: float | None = None
    device_class: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    forked_from: ForkedFrom | None = None


@dataclass(frozen=True, kw_only=True)
class RunState:
    """A run with what is quick about it: the latest progress, pending signals, why it waits where it does.

    `dataset_deleted` says that the set it trains or trained on is gone.
    """

    run: Run
    progress: dict[str, Any] | None
    signals: Signals
    waiting: Waiting | None
    dataset_deleted: bool


class RunService:
    """The life of a run as clients see it."""

    def __init__(
        self,
        runs: RunRegistry,
        datasets: DatasetRegistry,
        storage: Storage,
        experiments: Experiments,
        saved: SavedExperiments,
        waiting: WaitingService,
        offers: OfferService,
        notify: Callable[[str], bool],
        device_class: str,
    ) -> None:
        """`device_class` is that of a run which asks for none."""
        self._runs = runs
        self._datasets = datasets
        self._storage = storage
        self._experiments = experiments
        self._saved = saved
        self._waiting = waiting
        self._offers = offers
        self._notify = notify
        self._device_class = device_class

    def submit(self, request: RunRequest, key: str | None = None) -> tuple[bool, Run]:
        """Accept a run: whether it is new, and its record. The same `key` again finds the same run.

        Raises NotFound for the data set, Conflict while it is not ready or where `key` came with another
        request before, InvalidRequest or InvalidModel for the spec.
        """
        dataset = self._dataset(request.dataset_id)
        project = request.project or dataset.project
        run_id = keyed_id("run", project, key) if key else new_run_id()
        if key and (earlier := self.earlier(request, key)):
            return False, earlier
        return self.submit_as(run_id, request, dataset)

    def check(self, request: RunRequest) -> Run:
        """The run that `submit` would accept now, of which nothing is kept; raises as that does."""
        run = self._composed(new_run_id(), request, self._dataset(request.dataset_id))
        require_project(run.project)
        return run

    def earlier(self, request: RunRequest, key: str) -> Run | None:
        """The run that `key` made before; raises NotFound and Conflict as `submit`."""
        project = request.project or self._dataset(request.dataset_id).project
        found = self._found(keyed_id("run", project, key))
        if found is None:
            return None
        # The process that took it may have died before storage held what Redis does.
        return _same_request(self._runs.repair(found.id), request)

    def submit_as(self, run_id: str, request: RunRequest, dataset: Dataset) -> tuple[bool, Run]:
        """As `submit`, under an id that the caller has chosen."""
        return self._accepted(self._composed(run_id, request, dataset), request)

    def submit_once(self, run_id: str, request: RunRequest) -> tuple[bool, Run]:
        """As `submit`, under an id that the caller has chosen and that stands for this one request."""
        if self._found(run_id) is not None:
            return False, _same_request(self._runs.repair(run_id), request)
        return self.submit_as(run_id, request, self._dataset(request.dataset_id))

    def compose(self, request: RunRequest) -> TrainingSpec:
        """The complete spec, of which nothing is asked that depends on a data set; raises InvalidRequest."""
        return self._asked(request, request.project or "default")

    def project_of_dataset(self, dataset_id: str) -> str | None:
        """The project of a data set; None where there is no such set."""
        with suppress(NotFound):
            return self._datasets.project_of(dataset_id)
        return None

    def submit_ahead(self, request: RunRequest) -> Run:
        """Accept a run whose data set need not be ready: it waits until it is, and what `submit` would refuse
        the set for ends it as failed. Raises NotFound and InvalidRequest."""
        dataset = self._dataset(request.dataset_id)
        if dataset.status == DatasetStatus.READY:
            return self.submit_as(new_run_id(), request, dataset)[1]
        run = self._drafted(new_run_id(), request, dataset, self._asked(request, dataset.project))
        return self._accepted(replace(run, awaits_dataset=True), request)[1]

    def _accepted(self, run: Run, request: RunRequest) -> tuple[bool, Run]:
        folder = self._storage.run(run.id)
        with rollback_on_error(self._runs, run.id, folder.path):
            write_config(folder, run)
            if run.forked_from:
                keep_origin(self._storage, run.id, run.forked_from)
            created, stored = self._runs.submit(run)
        if not created:
            write_config(folder, stored)  # another request with the same key was first; its config stays
            return False, _same_request(stored, request)
        self._runs.announce_status(stored)
        if not stored.awaits_dataset:
            self._notify(stored.queue)
        return True, stored

    def get(self, run_id: str) -> Run:
        """The record; raises NotFound."""
        return self._runs.get(run_id)

    def require_access(self, run_id: str) -> None:
        """Raise Forbidden where the caller may change nothing in the run's project."""
        project = self._runs.project_of(run_id)
        if project is not None:
            require_project(project)

    def state(self, run_id: str) -> RunState:
        """The record and what is quick about it; raises NotFound."""
        run = self._runs.get(run_id)
        waits = run.status in (RunStatus.QUEUED, RunStatus.FINISHING) and run.owner is None
        return RunState(
            run=run,
            progress=self._runs.live.progress(run_id),
            signals=self._runs.live.signals(run_id),
            waiting=self._waiting.explain(run) if waits else None,
            dataset_deleted=not self._datasets.exists(run.dataset_id),
        )

    def state_after(self, decided: Run) -> RunState:
        """The state of a run of which something has just been decided. That holds, and is answered, whatever
        becomes of Redis since: then by the record alone."""
        try:
            return self.state(decided.id)
        except StoreUnavailable:
            return RunState(
                run=decided, progress=None, signals=Signals(), waiting=None, dataset_deleted=False
            )

    def page(self, query: RunQuery) -> Page[Run]:
        """A page of records."""
        return self._runs.select(query)

    def change(self, run_id: str, epochs: int | None, described: Mapping[str, Any]) -> RunState:
        """Change the epoch target, then what describes the run.

        A data set is one with the same content in place of one that is not here. Raises NotFound, Conflict,
        and InvalidRequest for a set of another content.
        """
        run = self._runs.get(run_id)
        if "dataset_id" in described:
            self._check_dataset_of(run, described["dataset_id"])
        if epochs is not None:
            run = self.retarget(run_id, epochs)
        if described:
            run = self._runs.edit(run_id, described)
        return self.state_after(run)

    def _check_dataset_of(self, run: Run, dataset_id: str) -> None:
        if run.dataset_id != dataset_id and self._datasets.exists(run.dataset_id):
            raise Conflict(
                f"Run {run.id} has its data set, {run.dataset_id}.",
                remedy="Fork it onto another one.",
                errors={"status": run.status, "dataset_id": [run.dataset_id]},
            )
        with_content(self._datasets, dataset_id, run.dataset_hash)

    def retarget(self, run_id: str, epochs: int) -> Run:
        """Change the epoch target; raises NotFound and Conflict. A finishing run may train on."""
        run = self._runs.retarget(run_id, epochs)
        if run.status == RunStatus.QUEUED:
            self._notify(run.queue)
        return run

    def stop(self, run_id: str, when: StopWhen) -> RunState:
        """Ask the run to stop and keep its work; raises NotFound and Conflict."""
        return self.state_after(self._runs.stop(run_id, when))

    def move_to_front(self, run_id: str) -> RunState:
        """Put a queued run before those of its project, class and priority; raises NotFound and Conflict."""
        return self.state_after(self._runs.move_to_front(run_id))

    def move_beside(self, run_id: str, other: str, step: Literal[-1, 1]) -> RunState:
        """Put a queued run right before (-1) or after (1) another; raises as the registry."""
        return self.state_after(self._runs.move_beside(run_id, other, step))

    def _dataset(self, dataset_id: str) -> Dataset:
        try:
            return self._datasets.get(dataset_id)
        except NotFound as error:
            raise NotFound(error.message, errors={"dataset_id": ["no such data set"]}) from error

    def _found(self, run_id: str) -> Run | None:
        try:
            return self._runs.get(run_id)
        except NotFound:
            self._runs.refuse_forgotten(run_id)
            return None

    def _composed(self, run_id: str, request: RunRequest, dataset: Dataset) -> Run:
        check_dataset(dataset)
        spec, notices = fitted(self._asked(request, dataset.project), dataset, self._storage)
        return replace(self._drafted(run_id, request, dataset, spec), notices=notices)

    def _drafted(self, run_id: str, request: RunRequest, dataset: Dataset, spec: TrainingSpec) -> Run:
        """The run, of whose data set nothing has been asked."""
        device_class = request.device_class or self._device_class
        check_device(spec, device_class)
        self._offers.check_run(spec, device_class)
        named = f"{spec.model.architecture} {spec.model.encoder}"[:NAME_LENGTH]
        return Run(
            id=run_id,
            project=request.project or dataset.project,
            name=request.name or named,
            notes=request.notes,
            tags=tuple(request.tags),
            group=request.group,
            dataset_id=dataset.id,
            dataset_hash=dataset.summary.content_hash if dataset.summary else "",
            experiment=request.experiment,
            spec=spec,
            queue=device_class,
            priority=request.priority,
            max_hours=request.max_hours,
            created_at=time.time(),
            epochs=spec.epochs,
            forked_from=request.forked_from,
            labels={**request.labels, REQUEST_LABEL: _fingerprint(request)},
        )

    def _asked(self, request: RunRequest, project: str) -> TrainingSpec:
        """`project` is that of a run which names none."""
        if request.forked_from:
            return self._experiments.vary(self._runs.get(request.forked_from.run_id).spec, request.spec)
        if request.experiment is None:
            return self._experiments.compose(request.spec)
        named = self._saved.named(request.experiment, request.project or project)
        return self._experiments.compose(request.spec, named)


def _fingerprint(request: RunRequest) -> str:
    """What came later than the first release counts where it is given: earlier requests keep theirs."""
    later = {"tags": list(request.tags), "group": request.group}
    asked = {name: value for name, value in asdict(request).items() if name not in later}
    return fingerprint(asked | {name: value for name, value in later.items() if value})


def _same_request(run: Run, request: RunRequest) -> Run:
    """The run; raises Conflict where another request made it."""
    refuse_other(run.id, run.status, run.labels.get(REQUEST_LABEL), _fingerprint(request))
    return run
