"""What of a spec can be judged before a worker has it: does it fit its data set and this server?"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from trainyard.catalog.encoder_sources import CONFIG_FILE, read_config
from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.datasets.record import MASKS, Dataset, DatasetStatus, Kind
from trainyard.errors import BadDataset, Conflict, InvalidModel, InvalidRequest
from trainyard.runs.taught_images import check_taught_images
from trainyard.spec.checks import check_classes, task_of
from trainyard.spec.training_spec import DataSpec, ModelSpec, TrainingSpec
from trainyard.storage.files import Storage
from trainyard.tasks.description import TaskDescription
from trainyard.tasks.registry import TASKS, needs_of, rounded_size

MIN_IMAGES = 2
"""One to train on and one to validate with."""


def check_dataset(dataset: Dataset) -> None:
    """Raise Conflict for a set that is not ready, BadDataset for one that has too little to train on."""
    if dataset.status == DatasetStatus.QUESTION:
        raise Conflict(
            f"Data set {dataset.id} waits for the answer to {len(dataset.questions)} question(s): "
            f"{' '.join(question.text for question in dataset.questions)}",
            remedy=f"POST /datasets/{dataset.id}/answers with one of the choices of each question.",
            errors={
                "status": dataset.status,
                "questions": [asdict(question) for question in dataset.questions],
            },
        )
    if dataset.status != DatasetStatus.READY or dataset.summary is None:
        raise Conflict(
            f"Data set {dataset.id} is {dataset.status}; a run needs a ready one.",
            errors={"status": dataset.status},
        )
    usable = trainable_images(dataset)
    if usable < MIN_IMAGES:
        raise _unusable(f"{usable} image(s) outside its test split; training needs {MIN_IMAGES}")


def check_device(spec: TrainingSpec, device_class: str) -> None:
    """Raise InvalidRequest where no worker of that class could compute as the spec asks."""
    if device_class == "cpu" and spec.precision == "16-mixed":
        raise InvalidRequest(
            "Precision 16-mixed needs a CUDA device, and the run is to wait for a worker of class cpu.",
            errors={"spec": {"precision": ["auto, 32 or bf16-mixed on class cpu"]}},
        )


def trainable_images(dataset: Dataset) -> int:
    """Images that training and validation share: all but the test split."""
    splits = dataset.summary.splits if dataset.summary else {}
    return splits.get("train", 0) + splits.get("val", 0)


def fitted(spec: TrainingSpec, dataset: Dataset, storage: Storage) -> tuple[TrainingSpec, tuple[str, ...]]:
    """The spec with an image size that its architecture takes, and what was changed, in words.

    Raises BadDataset, InvalidModel or InvalidRequest, naming the field, where no run could come of it.
    """
    _check_kind(spec, dataset)
    _check_class_count(spec, dataset)
    _check_weights(spec.model, storage)
    _check_fold(spec.data, dataset)
    if dataset.summary is not None:
        check_classes(spec, len(dataset.summary.classes), dataset.summary.task)
    _check_batch(spec, trainable_images(dataset))
    check_taught_images(spec.data, task_of(spec).kind, dataset, storage)
    asked = spec.data.image_size
    size = rounded_size(spec.model.architecture, asked)
    if size == asked:
        return spec, ()
    rule = needs_of(spec.model.architecture)
    need = f"a multiple of {rule.size_multiple}" if asked >= rule.min_size else f"at least {rule.min_size}"
    notice = f"image_size {asked} was rounded up to {size}: {rule.name} needs {need}"
    return replace(spec, data=replace(spec.data, image_size=size)), (notice,)


def _check_kind(spec: TrainingSpec, dataset: Dataset) -> None:
    """A task learns from annotations of its kind."""
    kinds = dataset.summary.kinds if dataset.summary else MASKS
    task = task_of(spec)
    if task.kind in kinds:
        _check_form_kind(spec.model.task, task, kinds)
        return
    fit = [task.name for task in TASKS.values() if task.kind in kinds]
    raise InvalidRequest(
        f"The images of the data set have {' and '.join(kinds)}, of which {spec.task} cannot be learnt.",
        remedy=f"Train {' or '.join(fit)} on it, or send a set whose images have {task_of(spec).kind}.",
        errors={"spec": {"task": [f"with this set one of: {', '.join(fit)}"]}},
    )


def _check_form_kind(form: str, task: TaskDescription, kinds: Sequence[Kind]) -> None:
    wanted = task.form_kinds.get(form)
    if wanted is None or wanted in kinds:
        return
    fit = [name for name in task.forms if task.form_kinds.get(name, task.kind) in kinds]
    raise InvalidRequest(
        f"The objects of the data set have no {wanted}, which the form {form} learns from.",
        remedy=f"Train the form {' or '.join(fit)}, or send a set with {wanted}.",
        errors={"spec": {"model": {"task": [f"with this set one of: {', '.join(fit)}"]}}},
    )


def _check_class_count(spec: TrainingSpec, dataset: Dataset) -> None:
    least = task_of(spec).min_classes
    if dataset.summary is not None and len(dataset.summary.classes) < least:
        raise _unusable(f"{len(dataset.summary.classes)} class(es); training needs {least}")


def _check_weights(model: ModelSpec, storage: Storage) -> None:
    if model.encoder_weights == "packaged" and model.encoder != PACKAGED_ENCODER:
        raise InvalidRequest(
            f"There are no packaged weights for the encoder {model.encoder!r}.",
            errors={"spec": {"model": {"encoder_weights": [f"packaged goes with {PACKAGED_ENCODER} only"]}}},
        )
    if model.weights_file is not None:
        storage.weights.file(model.weights_file)
    if model.encoder_folder is not None:
        folder = storage.weights.folder_with(model.encoder_folder, CONFIG_FILE)
        _check_config(folder / CONFIG_FILE, model.encoder)


def _check_config(path: Path, encoder: str) -> None:
    try:
        read_config(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InvalidRequest(
            f"{encoder} is no model as timm writes it: {error}.",
            errors={"spec": {"model": {"encoder": ["a folder with the config.json of a timm model"]}}},
        ) from error


def _check_fold(data: DataSpec, dataset: Dataset) -> None:
    if data.split_index is None:
        return
    folds = (dataset.summary and dataset.summary.folds) or dataset.options.folds
    if folds is None:
        said = "the set has no folds; upload it with `folds` to have them"
    elif data.split_index >= folds:
        said = f"0 to {folds - 1}: the set has {folds} folds"
    elif data.val_fraction is not None:
        said = "give either this or val_fraction"
    else:
        return
    raise InvalidRequest(
        f"The run cannot validate with fold {data.split_index}.",
        errors={"spec": {"data": {"split_index": [said]}}},
    )


def _check_batch(spec: TrainingSpec, images: int) -> None:
    least = needs_of(spec.model.architecture).min_batch
    largest = images - 1 if spec.data.finds_batch else min(spec.data.batch, images - 1)
    if largest < least:
        raise InvalidModel(
            f"{spec.model.architecture} trains on batches of at least {least}; batch_size is "
            f"{spec.data.batch_size} and the set has {images} images to train and validate with.",
            errors={"spec": {"data": {"batch_size": [f"at least {least}, with as many training images"]}}},
        )


def _unusable(what: str) -> BadDataset:
    return BadDataset(f"The data set has {what}.", errors={"dataset_id": [what]})
