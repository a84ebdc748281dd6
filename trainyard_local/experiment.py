"""An experiment: a data set, a spec, and a folder that training fills and goes on with."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainyard.errors import Conflict, InvalidRequest
from trainyard.runs.events import Event
from trainyard.runs.fork_origin import origin_file
from trainyard.runs.record import ForkedFrom, Run, RunStatus
from trainyard.runs.signals import Signals
from trainyard.settings import CONFIGS, own_device_classes
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.aliases import place_file
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder
from trainyard.storage.ids import new_run_id
from trainyard.storage.json_files import write_json
from trainyard_local.checkpoints import Checkpoints
from trainyard_local.chosen_task import fitted_to
from trainyard_local.dataset import LocalDataset, Progress, read_dataset, stored_dataset
from trainyard_local.folders import find_folder, held, make_folder
from trainyard_local.interrupt import Interrupt
from trainyard_local.record import Begun, LocalRecord, read_record
from trainyard_local.result import TrainingResult

PROJECT = "local"

Report = Callable[[Event], None]


class Experiment:
    """One folder of experiments; `new` makes one, `open` finds one again, `fork` makes one of its weights."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder.path
        self._files = folder

    @classmethod
    def new(
        cls,
        data: Path | str,
        *,
        experiment: str | None = None,
        spec: Mapping[str, Any] | None = None,
        name: str | None = None,
        runs: Path | str = "runs",
        options: Mapping[str, Any] | None = None,
        progress: Progress = lambda done, total: None,
    ) -> "Experiment":
        """Read the data set and make the folder; nothing is trained yet.

        `experiment` is a ready spec by name, `spec` is laid over it, and over the defaults. The task is that
        of the data set unless the spec names one. `name` and `options` are as for `make_folder` and
        `read_dataset`. Raises what these do, and InvalidRequest for the spec.
        """
        configs = Experiments(CONFIGS)
        configs.compose(spec or {}, experiment)  # a mistake in the spec is told before the set is read
        dataset = read_dataset(data, runs, options=options, progress=progress)
        composed = configs.compose(fitted_to(dataset, spec or {}, experiment, configs), experiment)
        return cls._made(Path(runs), name, dataset, composed, experiment=experiment)

    @classmethod
    def open(cls, name: Path | str, runs: Path | str = "runs") -> "Experiment":
        """One that is there, by its name in `runs` or its path; raises NotFound."""
        return cls(find_folder(Path(runs), str(name)))

    @property
    def name(self) -> str:
        """That of its folder."""
        return self.folder.name

    @property
    def record(self) -> Run:
        """How it stands; raises StorageUnavailable."""
        return read_record(self._files)

    def fork(
        self,
        spec: Mapping[str, Any] | None = None,
        *,
        checkpoint: str = "best",
        data: Path | str | None = None,
        name: str | None = None,
        options: Mapping[str, Any] | None = None,
        progress: Progress = lambda done, total: None,
    ) -> "Experiment":
        """A new experiment with this one's spec, `spec` laid over it, that begins with its weights.

        `checkpoint` is best, last or the number of an epoch. Raises as `new`, and NotFound where there is no
        such checkpoint.
        """
        origin, runs = self.record, self.folder.parent
        source = Checkpoints(self.folder).path(checkpoint)
        dataset = (
            read_dataset(data, runs, options=options, progress=progress)
            if data is not None
            else stored_dataset(origin.dataset_id, runs)
        )
        made = self._made(
            runs,
            name,
            dataset,
            Experiments(CONFIGS).vary(origin.spec, spec or {}),
            experiment=origin.experiment,
            forked_from=ForkedFrom(run_id=origin.id, checkpoint=checkpoint),
        )
        forked = made.record.forked_from
        assert forked is not None  # noqa: S101 - narrows the type
        try:
            place_file(source, origin_file(RunFolder(made.folder), forked))
        except OSError as error:
            raise storage_error(f"{source.name} could not be kept for the fork", error) from error
        return made

    def train(
        self,
        *,
        epochs: int | None = None,
        threads: int | None = None,
        device: str | None = None,
        report: Report = lambda event: None,
        signals: Callable[[], Signals] | None = None,
        tell: Callable[[str], None] = print,
    ) -> TrainingResult:
        """Train to the target, from the last checkpoint where there is one; then report and export.

        `epochs` is a new target. `device` is cpu or gpu, by default a GPU where there is one. `report` takes
        events as they come. Without `signals` of the caller's own, the first Ctrl-C stops and keeps the work,
        and `tell` is called with a sentence on it. Raises Conflict where there is nothing left to train, and
        the errors of training.
        """
        from trainyard_local.training import train

        with held(self._files):
            record = LocalRecord(self._files, self._retargeted(epochs))
            prepared = stored_dataset(record.run.dataset_id, self.folder.parent).prepared
            begun = Begun(
                folder=self._files, record=record, prepared=prepared, threads=threads, device=device
            )
            if signals is not None:
                return train(begun, report, signals)
            with Interrupt(tell) as interrupt:
                return train(begun, report, interrupt)

    @classmethod
    def _made(
        cls, runs: Path, name: str | None, dataset: LocalDataset, spec: TrainingSpec, **values: Any
    ) -> "Experiment":
        folder = make_folder(runs, name, spec)
        run = Run(
            id=new_run_id(),
            project=PROJECT,
            name=folder.path.name,
            dataset_id=dataset.id,
            dataset_hash=dataset.summary.content_hash,
            spec=spec,
            queue=own_device_classes(os.environ)[0],
            created_at=time.time(),
            epochs=spec.epochs,
            **values,
        )
        write_json(
            folder.config,
            {"spec": spec.to_dict(), "dataset": {"id": dataset.id, "content_hash": run.dataset_hash}},
        )
        LocalRecord(folder, run).keep()
        return cls(folder)

    def _retargeted(self, epochs: int | None) -> Run:
        run = self.record
        target = run.epochs if epochs is None else epochs
        if target < 1:
            raise InvalidRequest("A target of epochs is at least 1.", errors={"epochs": ["at least 1"]})
        if run.status == RunStatus.COMPLETED and target <= run.epochs:
            raise Conflict(
                f"{self.name} is completed: {run.epoch} epochs of {run.epochs}.",
                remedy="Give more epochs to go on with, or fork it.",
            )
        return replace(run, epochs=target)
