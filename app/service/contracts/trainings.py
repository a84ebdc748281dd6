"""The training service's use cases, over those of runs and data sets: it knows one run at a time."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.service.datasets.data_folders import SplitFolders, set_parts, split_folders
from app.service.datasets.datasets import DatasetService
from app.service.run_outputs.files import RunFiles
from app.service.run_outputs.metric_log import MetricLog, read_log
from app.service.runs.runs import RunRequest, RunService
from app.service.runs.stop import stop_and_wait
from trainyard.access import require_project
from trainyard.datasets.record import IngestOptions
from trainyard.errors import Conflict, InvalidRequest, NotFound
from trainyard.runs.record import ACTIVE, TO_TRAIN, Run, RunStatus
from trainyard.spec.experiments import Experiments
from trainyard.storage.data_root import DataRoot
from trainyard.storage.ids import is_id
from trainyard.store.processes.locks import Locks
from trainyard.store.runs.run_lists import RunQuery
from trainyard.tasks.registry import task_named

PROJECT = "training"
"""The project of all runs and data sets of this contract."""
CONFIG_ENDING = ".yaml"
OWN_MODEL = "default"
"""The model name that keeps the configuration's own."""
START_LOCK, START_S = "training-start", 60.0
"""One start at a time; it takes as long as listing the files of a large data set does."""
PAGE = 200


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What a training is started with; `folders` are those that the client names, by split."""

    config: str
    model: str
    folders: Mapping[str, str]


class TrainingService:
    """Runs of one project, of which one at a time is active."""

    def __init__(
        self,
        runs: RunService,
        files: RunFiles,
        datasets: DatasetService,
        experiments: Experiments,
        data: DataRoot,
        locks: Locks,
    ) -> None:
        self._runs = runs
        self._files = files
        self._datasets = datasets
        self._experiments = experiments
        self._data = data
        self._locks = locks

    def configs(self) -> list[str]:
        """The configurations, as names of files."""
        return [f"{name}{CONFIG_ENDING}" for name in self._experiments.names()]

    def folders(self) -> list[SplitFolders]:
        """What lies in the data root to train on."""
        return split_folders(self._data)

    def start(self, request: TrainingRequest) -> Run:
        """Register the folders as one data set and submit the run, which waits for it to be read.

        Raises NotFound (configuration or folder), InvalidRequest (model), Conflict (one is active).
        """
        require_project(PROJECT)
        experiment = self._experiment(request.config)
        parts = set_parts(self._data, request.folders)
        spec = self._spec(request.model, experiment)
        with self._locks.held(START_LOCK, START_S):
            if active := self._active():
                raise Conflict(
                    f"A training is active: run {active.id} is {active.status}.",
                    errors={"status": active.status},
                )
            dataset = self._datasets.register(_set_name(parts), PROJECT, parts, OPTIONS)
            asked = RunRequest(dataset_id=dataset.id, experiment=experiment, spec=spec, project=PROJECT)
            return self._runs.submit_ahead(asked)

    def stop(self) -> bool:
        """Stop the active run, keep its work, and wait a little for its end; False where nothing trains."""
        require_project(PROJECT)
        active = self._active()
        if active is None or active.status not in TO_TRAIN:
            return False
        stop_and_wait(self._runs, active)
        return True

    def present(self) -> Run | None:
        """The active run, else the newest one; None before the first."""
        return self._active() or next(self._all(limit=1), None)

    def is_stopping(self, run: Run) -> bool:
        """Whether a run that still trains has been asked to stop at once, which may take it a long batch."""
        return run.status == RunStatus.RUNNING and self._runs.state(run.id).signals.stop == "now"

    def models(self) -> list[Path]:
        """The exported models, those of the newest run first."""
        return [path for run in self._all() for path in self._files.exports(run.id)]

    def runs(self) -> list[tuple[Run, Path | None]]:
        """All runs, newest first, each with its log of metrics where it has one."""
        return [(run, self._log_of(run)) for run in self._all()]

    def log(self, run_id: str | None) -> tuple[Run, MetricLog]:
        """A run, by default the newest, and its metrics; raises NotFound."""
        run = next(self._all(limit=1), None) if run_id is None else self._run(run_id)
        if run is None:
            raise NotFound("No training runs found" if run_id is None else f"Run {run_id} not found")
        return run, read_log(self._log_of(run))

    def _run(self, run_id: str) -> Run | None:
        """A run of this contract."""
        with suppress(NotFound):
            run = self._runs.get(run_id) if is_id(run_id) else None
            return run if run and run.project == PROJECT else None
        return None

    def _log_of(self, run: Run) -> Path | None:
        with suppress(NotFound):
            return self._files.artifact(run.id, "metrics.csv")
        return None

    def _active(self) -> Run | None:
        return next(self._all(tuple(ACTIVE), limit=1), None)

    def _all(self, statuses: tuple[str, ...] = (), limit: int = PAGE) -> Iterator[Run]:
        """Newest first; one that cannot be read is left out."""
        cursor = None
        while True:
            query = RunQuery(project=PROJECT, statuses=statuses, limit=limit, cursor=cursor)
            page = self._runs.page(query)
            yield from page.readable
            if not (cursor := page.next_cursor):
                return

    def _experiment(self, config: str) -> str:
        name = config.removesuffix(CONFIG_ENDING)
        if name not in self._experiments.names():
            said = [f"one of: {', '.join(self.configs())}"]
            raise NotFound(f"There is no configuration {config[:200]!r}.", errors={"config_name": said})
        return name

    def _spec(self, model: str, experiment: str) -> dict[str, Any]:
        """What is laid over the configuration; raises InvalidRequest for a model that its task has not."""
        task = task_named(self._experiments.compose({}, experiment).task)
        if model == OWN_MODEL:
            return {}
        if model not in task.architectures:
            said = [f"{OWN_MODEL}, or one of: {', '.join(task.architectures)}"]
            raise InvalidRequest(
                f"No model of {task.name} is called {model[:100]!r}.", errors={"model_name": said}
            )
        spec = {"model": {"architecture": model}}
        self._experiments.compose(spec, experiment)  # before anything is made
        return spec


OPTIONS = IngestOptions(splits_from="folders", on_question="assume")
"""Each folder is its split; and these clients answer no questions."""


def _set_name(parts: Mapping[str, str]) -> str:
    """That of the folder which holds all folders, else that of the training images."""
    folder = Path(parts["train"])
    return (folder.parent.name or folder.name or PROJECT)[:100]
