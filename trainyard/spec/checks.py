"""What the fields of a spec must be to each other, and to the classes of its data set."""

from collections.abc import Collection

from trainyard.catalog.device_transforms import check_device_form
from trainyard.catalog.encoder_sources import is_source
from trainyard.catalog.names import CLASS_WEIGHTINGS, FITS, OPTIMIZERS, SCHEDULES, WHERE_IT_TRAINS
from trainyard.catalog.transform_checks import check_holes, check_transforms
from trainyard.catalog.validation_transforms import check_validation
from trainyard.datasets.record import Task
from trainyard.errors import InvalidRequest
from trainyard.plugins.offers import is_offered_name
from trainyard.spec.training_spec import ExportSpec, TrainingSpec
from trainyard.tasks.description import TaskDescription
from trainyard.tasks.registry import architectures, forms, monitors, task_named
from trainyard.tasks.registry import losses as all_losses

PARTS = (
    "task", "model", "data", "augmentation", "optimization", "early_stopping", "checkpoints", "compute",
    "export",
)  # fmt: skip
"""Those parts of a spec whose fields must go together."""


def check_parts(spec: TrainingSpec, asked: Collection[str] = PARTS) -> None:
    """Raise InvalidRequest, naming the field, where two parts of a spec contradict each other.

    Of a stored spec that is varied, only what the parts that were `asked` for have to do with is looked at.
    """
    if "task" in asked:
        asked = PARTS
    task = task_of(spec)
    _check_names(spec, task, asked)
    if "model" in asked:
        _check_source(spec, task)
    task.check_spec(spec, asked)
    if "augmentation" in asked:
        check_transforms(spec.augmentation.transforms)
        check_validation(spec.augmentation.validation)
    if "augmentation" in asked or "data" in asked:
        check_holes(spec.augmentation.transforms, spec.data.image_size)
        if spec.augmentation.device == WHERE_IT_TRAINS:
            check_device_form(spec.augmentation.transforms, spec.data.image_size)
    if "compute" in asked or "optimization" in asked:
        _check_strategy(spec)
    if "export" in asked:
        check_export(spec.export)
    if "export" in asked or "augmentation" in asked:
        _check_baked(spec)


def task_of(spec: TrainingSpec) -> TaskDescription:
    """The description of the task that a spec trains; raises InvalidRequest where this release has none."""
    return task_named(spec.task)


def check_known(spec: TrainingSpec) -> None:
    """Raise InvalidRequest for a stored spec that names what this release cannot train with.

    Architectures, encoders and names of plug-ins are left to whoever builds them.
    """
    optimization, losses = spec.optimization, task_of(spec).losses
    for name, accepted, path in (
        *((term.name, losses, "losses.name") for term in optimization.losses),
        (optimization.optimizer, OPTIMIZERS, "optimizer"),
        (optimization.schedule.name, SCHEDULES, "schedule.name"),
        (optimization.class_weighting, CLASS_WEIGHTINGS, "class_weighting"),
    ):
        if name not in accepted and not is_offered_name(name):
            raise InvalidRequest(
                f"This release trains with no {path} {name!r}.",
                remedy="Fork the run with another one, or train it with the release that it was made for.",
                errors={"spec": {"optimization": {path: [f"one of: {', '.join(accepted)}"]}}},
            )
    if spec.data.fit not in FITS:
        raise InvalidRequest(
            f"This release has no fit {spec.data.fit!r}.",
            errors={"spec": {"data": {"fit": [f"one of: {', '.join(FITS)}"]}}},
        )


def check_classes(spec: TrainingSpec, classes: int, task: Task) -> None:
    """Raise InvalidRequest where a set of that kind, with so many classes, does not go with the spec."""
    task_of(spec).check_classes(spec, classes, task)


def _check_names(spec: TrainingSpec, task: TaskDescription, asked: Collection[str]) -> None:
    """Names of another task are refused; what no task knows a stored spec may name, and requests may not."""
    model, losses = spec.model, [term.name for term in spec.optimization.losses]
    for part, field, given, own, all_ in (
        ("model", "task", [model.task], task.forms, forms()),
        ("model", "architecture", [model.architecture], task.architectures, architectures()),
        ("optimization", "losses", losses, task.losses, all_losses()),
        ("early_stopping", "monitor", [spec.early_stopping.monitor], task.monitors, monitors()),
        ("checkpoints", "monitor", [spec.checkpoints.monitor], task.monitors, monitors()),
    ):
        if part in asked and (foreign := [name for name in given if name in all_ and name not in own]):
            raise InvalidRequest(
                f"{part}.{field}: the task {task.name} has no {foreign[0]!r}.",
                errors={"spec": {part: {field: [f"one of: {', '.join(own)}"]}}},
            )


def _check_source(spec: TrainingSpec, task: TaskDescription) -> None:
    """An encoder may be named by where it lies only where the network needs nothing but its last features."""
    if not is_source(spec.model.encoder):
        return
    if not task.encoder_sources or is_offered_name(spec.model.architecture):
        raise InvalidRequest(
            f"{spec.model.encoder} is of classification: {task.name} takes its encoders by their names.",
            errors={"spec": {"model": {"encoder": ["an encoder of smp, or tu- and a timm model"]}}},
        )


def _check_strategy(spec: TrainingSpec) -> None:
    """Plain ddp waits for gradients that a frozen encoder never has."""
    compute = spec.compute
    if compute.device_count > 1 and compute.strategy == "ddp" and spec.optimization.freeze_encoder_epochs:
        raise InvalidRequest(
            "A frozen encoder has no gradients, which the strategy ddp waits for.",
            errors={"spec": {"compute": {"strategy": ["auto, or ddp_find_unused_parameters_true"]}}},
        )


def _check_baked(spec: TrainingSpec) -> None:
    """What a file bakes in is arithmetic of its pixels."""
    if spec.export.with_preprocessing and spec.augmentation.validation:
        raise InvalidRequest(
            "The transforms of augmentation.validation cannot be baked into an ONNX file.",
            errors={"spec": {"export": {"with_preprocessing": ["false, or augmentation.validation empty"]}}},
        )


def check_export(spec: ExportSpec) -> None:
    extras = [name for name in ("half", "int8", "with_preprocessing") if getattr(spec, name)]
    if extras and not spec.onnx:
        raise InvalidRequest(
            f"export.{extras[0]} is a form of the ONNX file, which is not asked for.",
            errors={"spec": {"export": {"onnx": [f"true, or {', '.join(extras)} false"]}}},
        )
