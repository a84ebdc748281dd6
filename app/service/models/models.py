"""Use cases of trained models: registered, staged, described, removed, and their files."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainyard.access import present_access, require_project
from trainyard.datasets.record import Dataset
from trainyard.errors import BrokenFile, Conflict, NotFound, TrainyardError
from trainyard.library.trained_model import ModelClass, ModelFile, ModelStage, TrainedModel
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.models import ModelQuery, ModelRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.storage.aliases import place_file
from trainyard.storage.errors import storage_error
from trainyard.storage.files import ModelFolder, RunFolder, Storage
from trainyard.storage.json_files import read_json
from trainyard.store.records import Page


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """A completed run that is to be a version of `name`, in the run's project."""

    run_id: str
    name: str
    stage: ModelStage = ModelStage.CANDIDATE
    notes: str = ""


class ModelService:
    """Registers what runs have exported. A model has files of its own, so that its run may be deleted."""

    def __init__(
        self, models: ModelRegistry, runs: RunRegistry, datasets: DatasetRegistry, storage: Storage
    ) -> None:
        self._models = models
        self._runs = runs
        self._datasets = datasets
        self._storage = storage

    def page(self, query: ModelQuery) -> Page[TrainedModel]:
        """A page of models, newest first; raises StoreUnavailable."""
        return self._models.select(query)

    def get(self, model_id: str) -> TrainedModel:
        """The model; raises NotFound and Unreadable."""
        return self._models.get(model_id)

    def register(self, request: ModelRequest) -> tuple[bool, TrainedModel]:
        """Make a run's export the next version of a name: whether it is new, and the model.

        The same export under the same name is the same model, which stays as it is. Raises NotFound, Conflict
        for a run without an export, Forbidden, BrokenFile where a file is not what was verified, and
        StorageUnavailable.
        """
        run = self._runs.get(request.run_id)
        require_project(run.project)
        export = self._storage.run(run.id)
        if run.status != RunStatus.COMPLETED or not export.export_card.is_file():
            raise Conflict(
                f"Run {run.id} is {run.status} and has no exported model.",
                remedy="Let it complete; one without exported files gets them by POST /runs/{id}/export.",
                errors={"run_id": ["a completed run with an export"], "status": run.status},
            )
        card = read_json(export.export_card)
        model = self._described(run, request, card)
        with suppress(NotFound):
            return False, self._models.get(model.id)
        self._place(export, self._storage.model(model.id), model)
        created, model = self._models.register(model)
        if created and request.stage != ModelStage.CANDIDATE:
            model = self._models.change(model.id, request.stage, {})
        return created, model

    def change(self, model_id: str, stage: ModelStage | None, notes: str | None) -> TrainedModel:
        """Give a model another stage or other notes; raises NotFound."""
        return self._models.change(model_id, stage, {} if notes is None else {"notes": notes})

    def remove(self, model_id: str) -> None:
        """Delete a model with its files; raises NotFound, and Conflict for one in production."""
        self._models.remove(model_id)

    def file(self, model_id: str, name: str) -> tuple[TrainedModel, Path]:
        """A file of a model, by the name that its record has; raises NotFound."""
        model = self._models.get(model_id)
        if name not in [one.name for one in model.files]:
            raise NotFound(
                f"Model {model_id} has no file {name[:100]!r}.",
                errors={"name": [f"one of: {', '.join(one.name for one in model.files)}"]},
            )
        path = self._storage.model(model_id).path / name
        if not path.is_file():
            raise BrokenFile(f"The file {name} of model {model_id} is not in storage.")
        return model, path

    def _described(self, run: Run, request: ModelRequest, card: dict[str, Any]) -> TrainedModel:
        files = tuple(
            ModelFile(name=one["file"], bytes=one["bytes"], sha256=one["sha256"], precision=one["precision"])
            for one in card["files"]
        )
        dataset = self._dataset(run)
        model, version = run.spec.model, _version(dataset, card["dataset"]["content_hash"])
        return TrainedModel(
            id=_model_id(run, request.name, files[0].sha256),
            project=run.project,
            name=request.name,
            notes=request.notes,
            created_at=0.0,
            created_by=present_access().who,
            run_id=run.id,
            run_name=run.name,
            dataset_id=run.dataset_id,
            dataset_name=dataset.name if dataset else None,
            dataset_version=version,
            content_hash=card["dataset"]["content_hash"],
            task=model.task,
            architecture=model.architecture,
            encoder=model.encoder,
            epoch=card["epoch"],
            image_size=card["input"]["image_size"],
            classes=tuple(
                ModelClass(index=one["index"], name=one["name"], color=tuple(one["color"]))
                for one in card["classes"]
            ),
            metrics=card["metrics"],
            files=(*files, _card_file(self._storage.run(run.id).export_card)),
        )

    def _dataset(self, run: Run) -> Dataset | None:
        try:
            return self._datasets.get(run.dataset_id)
        except TrainyardError:  # deleted since, or unreadable: the hash tells what it was
            return None

    def _place(self, export: RunFolder, folder: ModelFolder, model: TrainedModel) -> None:
        """Give the model the files of the export; raises BrokenFile and StorageUnavailable."""
        try:
            for one in model.files:
                source = export.export / one.name
                if _sha256(source) != one.sha256:
                    raise BrokenFile(f"{one.name} of {model.run_id} is not the file that was verified.")
                place_file(source, folder.path / one.name)
        except OSError as error:
            raise storage_error("The export could not be kept", error) from error


def _model_id(run: Run, name: str, sha256: str) -> str:
    digest = hashlib.sha256("\0".join((run.project, name, run.id, sha256)).encode()).hexdigest()
    return f"model-{digest[:12]}"


def _version(dataset: Dataset | None, content_hash: str) -> int | None:
    versions = dataset.versions if dataset else ()
    return next((one.version for one in versions if one.content_hash == content_hash), None)


def _card_file(path: Path) -> ModelFile:
    try:
        return ModelFile(name=path.name, bytes=path.stat().st_size, sha256=_sha256(path))
    except OSError as error:
        raise storage_error("The export's card could not be read", error) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
