"""Use cases of experiments that are saved in a project: settings under a name, of which runs are made."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.service.requests.keyed import keyed_id
from trainyard.access import present_access
from trainyard.errors import Conflict, InvalidRequest, NotFound
from trainyard.library.saved_experiment import ExperimentStatus, SavedExperiment
from trainyard.registry.kept import KeptRecords
from trainyard.registry.runs import RunRegistry
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.store.processes.locks import Locks
from trainyard.store.records import Page

LOCK_S = 10.0
_OF_A_RUN = ("version",)
"""What is no setting in a stored spec."""


@dataclass(frozen=True, kw_only=True)
class ExperimentRequest:
    """What is to be saved: `spec`, laid over an experiment of that name, or over the settings of a run."""

    name: str
    project: str
    notes: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    experiment: str | None = None
    run_id: str | None = None


class SavedExperiments:
    """Those of all projects, known by their names there."""

    def __init__(
        self,
        saved: KeptRecords[SavedExperiment],
        runs: RunRegistry,
        experiments: Experiments,
        locks: Locks,
    ) -> None:
        """`experiments` are those that every project has."""
        self._saved = saved
        self._runs = runs
        self._experiments = experiments
        self._locks = locks

    def page(self, project: str | None, cursor: str | None, limit: int) -> Page[SavedExperiment]:
        """A page of them, newest first."""
        return self._saved.page(None, project, cursor, limit)

    def get(self, experiment_id: str) -> SavedExperiment:
        """One of them; raises NotFound."""
        return self._saved.get(experiment_id)

    def composed(self, experiment: SavedExperiment) -> TrainingSpec:
        """Its whole spec, over today's defaults; raises InvalidRequest where that is none any more."""
        return self._experiments.compose(experiment.settings)

    def save(self, asked: ExperimentRequest) -> tuple[bool, SavedExperiment]:
        """Keep settings under a name: whether they are new. Asked for again, they are the same.

        Raises InvalidRequest for settings that are none and for the name of a ready experiment, Conflict for
        a name under which others are saved, NotFound for the run, and Forbidden.
        """
        if asked.name in self._experiments.names():
            raise InvalidRequest(
                f"{asked.name!r} is an experiment that every project has.",
                errors={"name": ["a name of your own"]},
            )
        now = time.time()
        settings = self._settings(asked)
        self._experiments.compose(settings)
        made = SavedExperiment(
            id=keyed_id("exp", asked.project, asked.name),
            project=asked.project,
            name=asked.name,
            notes=asked.notes,
            created_at=now,
            created_by=present_access().who,
            changed_at=now,
            run_id=asked.run_id,
            settings=settings,
        )
        with self._locks.held(made.id, LOCK_S):
            if (known := self._found(made.id)) is not None:
                return False, _same(known, made)
            return True, self._saved.create(made, ExperimentStatus.SAVED)

    def change(self, experiment_id: str, changes: Mapping[str, Any]) -> SavedExperiment:
        """Replace `notes`, or `spec` as a whole; raises NotFound and InvalidRequest."""
        values = {name: value for name, value in changes.items() if name != "spec"}
        if "spec" in changes:
            values["settings"] = self._experiments.layered(changes["spec"])
            self._experiments.compose(values["settings"])
        with self._locks.held(experiment_id, LOCK_S):
            return self._saved.change(experiment_id, {**values, "changed_at": time.time()})

    def remove(self, experiment_id: str) -> None:
        """Forget one; runs that were made of it stay. Raises NotFound."""
        self._saved.remove(experiment_id)

    def named(self, name: str, project: str) -> str | Mapping[str, Any]:
        """What a request means by the name of an experiment: the settings saved under it in the project.

        The name itself where it is that of a ready one. Raises InvalidRequest that lists all there are.
        """
        ready = self._experiments.names()
        if name in ready:
            return name
        found = self._found(keyed_id("exp", project, name))
        if found is None:
            saved = [one.name for one in self._saved.page(None, project, None, 50).readable]
            raise InvalidRequest(
                f"No experiment is called {name!r} in the project {project!r}.",
                errors={"experiment": [f"one of: {', '.join([*ready, *sorted(saved)])}"]},
            )
        return found.settings

    def _settings(self, asked: ExperimentRequest) -> dict[str, Any]:
        if asked.run_id is not None and asked.experiment is not None:
            said = ["either a run or an experiment"]
            raise InvalidRequest("Settings are of one origin.", errors={"run_id": said, "experiment": said})
        base: Mapping[str, Any] = {}
        if asked.experiment is not None:
            named = self.named(asked.experiment, asked.project)
            base = self._experiments.read(named) if isinstance(named, str) else named
        if asked.run_id is not None:
            stored = self._runs.get(asked.run_id).spec.to_dict()
            base = {name: value for name, value in stored.items() if name not in _OF_A_RUN}
        return self._experiments.layered(base, asked.spec)

    def _found(self, experiment_id: str) -> SavedExperiment | None:
        try:
            return self._saved.get(experiment_id)
        except NotFound:
            self._saved.refuse_forgotten(experiment_id)
            return None


def _same(known: SavedExperiment, asked: SavedExperiment) -> SavedExperiment:
    if (known.settings, known.notes) != (asked.settings, asked.notes):
        raise Conflict(
            f"The project {known.project!r} has an experiment {known.name!r}, with other settings.",
            remedy=f"Change it by PATCH /saved-experiments/{known.id}, or choose another name.",
            errors={"name": ["a name that is free"]},
        )
    return known
