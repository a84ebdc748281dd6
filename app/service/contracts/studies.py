"""The study service's use cases, over those of runs and data sets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.service.datasets.datasets import DatasetService
from app.service.run_outputs.files import RunFiles
from app.service.runs.life import RunLifeService
from app.service.runs.runs import RunRequest, RunService
from app.service.runs.stop import stop_and_wait
from trainyard.datasets.record import DatasetStatus
from trainyard.errors import Conflict, InvalidRequest, NotFound
from trainyard.registry.offered_models import OfferedModels
from trainyard.runs.record import ACTIVE, Run, RunStatus
from trainyard.storage.ids import new_run_id
from trainyard.store.resources.aliases import NameStore
from trainyard.tasks.segmentation import architecture


@dataclass(frozen=True, kw_only=True)
class StudyRequest:
    """The parameters of a new study, in range."""

    user: str
    dataset: str
    epochs: int
    learning_rate: float
    image_size: int
    batch_size: int
    model: str
    test_size: float


class StudyService:
    """A study is a run under a name of its own, `<User>-<n>`."""

    def __init__(
        self,
        names: NameStore,
        offered: OfferedModels,
        runs: RunService,
        life: RunLifeService,
        files: RunFiles,
        datasets: DatasetService,
    ) -> None:
        self._names = names
        self._offered = offered
        self._runs = runs
        self._life = life
        self._files = files
        self._datasets = datasets

    def models(self) -> list[str]:
        """The architectures on offer, in the catalogue's order."""
        return self._offered.all()

    def offer(self, model: str) -> None:
        """Put an architecture on the list; raises InvalidRequest (unknown) and Conflict (listed)."""
        architecture(model)
        if model in self.models():
            raise Conflict(f"Model {model} is already listed")
        self._offered.add(model)

    def withdraw(self, model: str) -> None:
        """Take an architecture off the list; raises NotFound."""
        if model not in self.models():
            raise NotFound("Model not found")
        self._offered.remove(model)

    def start(self, request: StudyRequest) -> str:
        """Submit the run; returns the study's name. Raises InvalidRequest, also for its data set."""
        if request.model not in self.models():
            raise InvalidRequest(errors={"Model": [f"one of: {', '.join(self.models())}"]})
        dataset = self._datasets.newest_named(request.user, request.dataset, DatasetStatus.READY)
        if dataset is None:
            raise self._no_dataset(request)
        name, run_id = self._named(request.user)
        self._runs.submit_as(run_id, _run_request(request, dataset.id, name), dataset)
        return name

    def run(self, name: str) -> Run:
        """The run behind a study's name; raises NotFound."""
        run_id = self._names.resolve(name)
        if run_id is None:
            raise NotFound("Study not found")
        return self._runs.get(run_id)

    def retarget(self, name: str, epochs: int) -> bool:
        """Change the epoch target; True where it is not above the epochs done, so that the run will stop.

        A run that has ended goes on, to a target above the epochs done; any other raises Conflict. One that
        is finishing trains on, or has stopped as asked. Raises NotFound.
        """
        run = self.run(name)
        if run.status not in ACTIVE and epochs > run.epoch:
            self._life.resume(run.id, epochs)
            return False
        if run.status == RunStatus.FINISHING and epochs <= run.epoch:
            return True
        return epochs <= self._runs.retarget(run.id, epochs).epoch

    def metrics(self, name: str) -> list[dict[str, Any]]:
        """One row for each finished epoch; raises NotFound.

        While the run trains, an epoch is finished when its checkpoint is there, which is written beside the
        next one: who reads its numbers may ask for the file.
        """
        run = self.run(name)
        rows = self._files.metrics(run.id)
        if run.status != RunStatus.RUNNING:
            return rows
        names = (one.name for one in self._files.checkpoints(run.id))
        newest = max((int(name) for name in names if name.isdecimal()), default=0)
        return [row for row in rows if row["epoch"] <= newest]

    def finish(self, name: str) -> Path:
        """Stop the run, keep its work, and say where its newest checkpoint is; raises NotFound."""
        run = self.run(name)
        stop_and_wait(self._runs, run)
        return self._files.newest_checkpoint(run.id)

    def checkpoint(self, name: str, epoch: int) -> Path:
        """The file of that epoch; raises NotFound."""
        return self._files.checkpoint(self.run(name).id, str(epoch))

    def _named(self, user: str) -> tuple[str, str]:
        """A new name and the run id bound to it, before the run exists: no name ever points at two runs."""
        while True:
            name, run_id = f"{user}-{self._names.next_number(user)}", new_run_id()
            if self._names.bind(name, run_id):
                return name, run_id

    def _no_dataset(self, request: StudyRequest) -> InvalidRequest:
        known = self._datasets.newest_named(request.user, request.dataset, None)
        state = f"is {known.status}, not ready" if known else "does not exist"
        return InvalidRequest(
            f"Data set {request.dataset!r} of {request.user!r} {state}.",
            errors={"FileName": [state]},
        )


def _run_request(request: StudyRequest, dataset_id: str, name: str) -> RunRequest:
    return RunRequest(
        dataset_id=dataset_id,
        name=name[:100],
        project=request.user,
        labels={"study": name, "user": request.user},
        spec={
            "epochs": request.epochs,
            "model": {"architecture": request.model},
            "data": {
                "image_size": request.image_size,
                "batch_size": request.batch_size,
                "val_fraction": request.test_size,
                "val_every_epochs": 1,  # the contract has a number of every epoch
            },
            "optimization": {"learning_rate": request.learning_rate},
            "checkpoints": {"every_epochs": 1},
        },
    )
