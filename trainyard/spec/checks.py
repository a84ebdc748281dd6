"""What the fields of a spec must be to each other, and to the classes of its data set."""

from collections.abc import Collection

from trainyard.catalog.encoder_pairs import only_size, unfit_architectures
from trainyard.catalog.names import (
    ARCHITECTURES,
    CLASS_WEIGHTINGS,
    FITS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    Loss,
    has_imagenet_weights,
    needs_of,
    rounded_size,
)
from trainyard.datasets.record import Task
from trainyard.errors import InvalidRequest
from trainyard.spec.training_spec import ExportSpec, LossSpec, ModelSpec, OptimizationSpec, TrainingSpec
from trainyard.spec.transform_checks import check_holes, check_mask_fill, check_transforms

BINARY_CLASSES = 2
PARTS = ("model", "data", "augmentation", "optimization", "compute", "export")
"""Those parts of a spec whose fields must go together."""


def check_parts(spec: TrainingSpec, asked: Collection[str] = PARTS) -> None:
    """Raise InvalidRequest, naming the field, where two parts of a spec contradict each other.

    Of a stored spec that is varied, only what the parts that were `asked` for have to do with is looked at.
    """
    model, optimization = spec.model, spec.optimization
    if "model" in asked:
        _check_encoder(model)
    if "model" in asked or "data" in asked:
        _check_only_size(model, spec.data.image_size)
    if "augmentation" in asked:
        check_transforms(spec.augmentation.transforms)
    if "augmentation" in asked or "data" in asked:
        check_holes(spec.augmentation.transforms, spec.data.image_size)
    if "model" in asked or "optimization" in asked:
        for place, term in enumerate(optimization.losses):
            _check_loss(place, term, model.task)
        _check_weighting(optimization, model.task)
    if "compute" in asked or "optimization" in asked:
        _check_strategy(spec)
    if "export" in asked:
        _check_export(spec.export)


def check_known(spec: TrainingSpec) -> None:
    """Raise InvalidRequest for a stored spec that names what this release cannot train with.

    Architectures and encoders are left to whoever builds them.
    """
    optimization = spec.optimization
    for name, accepted, path in (
        *((term.name, LOSSES, "losses.name") for term in optimization.losses),
        (optimization.optimizer, OPTIMIZERS, "optimizer"),
        (optimization.schedule.name, SCHEDULES, "schedule.name"),
        (optimization.class_weighting, CLASS_WEIGHTINGS, "class_weighting"),
    ):
        if name not in accepted:
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
    """Raise InvalidRequest where a set of that task, with so many classes, does not go with the spec."""
    if (spec.model.task == "multilabel") != (task == "multilabel"):
        accepted = "multilabel" if task == "multilabel" else "multiclass, or binary for two classes"
        raise InvalidRequest(
            f"The data set is {task}, and the task of the model {spec.model.task}.",
            errors={"spec": {"model": {"task": [f"{accepted}: what this set is"]}}},
        )
    if spec.model.task == "binary" and classes != BINARY_CLASSES:
        raise InvalidRequest(
            f"A binary task needs exactly two classes, background included; the set has {classes}.",
            errors={"spec": {"model": {"task": ["multiclass for this set"]}}},
        )
    given = len(spec.optimization.class_weights)
    if given not in (0, classes):
        raise InvalidRequest(
            f"There are {given} class weights and {classes} classes.",
            errors={"spec": {"optimization": {"class_weights": [f"{classes} numbers for this set"]}}},
        )
    check_mask_fill(spec.augmentation.transforms, classes, multilabel=task == "multilabel")


def _check_encoder(model: ModelSpec) -> None:
    """By the architecture's rule, and by what was found when every pair was tried."""
    needed = needs_of(model.architecture).encoder_prefix
    if not model.encoder.startswith(needed):
        raise _encoder_refusal(model, "encoder", f"must begin with {needed!r}")
    if model.architecture in (unfit := unfit_architectures(model.encoder)):
        fit = ", ".join(name for name in ARCHITECTURES if name not in unfit)
        raise _encoder_refusal(model, "encoder", f"goes with {fit or 'no architecture'}")
    if model.encoder_weights == "imagenet" and not has_imagenet_weights(model.encoder):
        raise _encoder_refusal(model, "encoder_weights", "not imagenet: this encoder has no such weights")


def _check_only_size(model: ModelSpec, image_size: int) -> None:
    """Some encoders are built for one size."""
    size = only_size(model.architecture, model.encoder)
    if size and rounded_size(model.architecture, image_size) != size:
        raise InvalidRequest(
            f"{model.encoder} in {model.architecture} takes images of {size} px only.",
            errors={"spec": {"data": {"image_size": [f"{size} with this encoder"]}}},
        )


def _encoder_refusal(model: ModelSpec, field: str, problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"{model.architecture} with the encoder {model.encoder!r} cannot be trained so: {field} {problem}.",
        errors={"spec": {"model": {field: [problem]}}},
    )


def _check_strategy(spec: TrainingSpec) -> None:
    """Plain ddp waits for gradients that a frozen encoder never has."""
    compute = spec.compute
    if compute.devices > 1 and compute.strategy == "ddp" and spec.optimization.freeze_encoder_epochs:
        raise InvalidRequest(
            "A frozen encoder has no gradients, which the strategy ddp waits for.",
            errors={"spec": {"compute": {"strategy": ["auto, or ddp_find_unused_parameters_true"]}}},
        )


def _check_export(spec: ExportSpec) -> None:
    extras = [name for name in ("half", "int8", "with_preprocessing") if getattr(spec, name)]
    if extras and not spec.onnx:
        raise InvalidRequest(
            f"export.{extras[0]} is a form of the ONNX file, which is not asked for.",
            errors={"spec": {"export": {"onnx": [f"true, or {', '.join(extras)} false"]}}},
        )


def _check_loss(place: int, term: LossSpec, task: str) -> None:
    loss = LOSSES.get(term.name)
    if loss is None:  # of a stored spec: requests are held to the list by their schema
        return
    if task not in loss.tasks:
        accepted = [name for name, other in LOSSES.items() if task in other.tasks]
        raise _loss_refusal(place, "name", f"for a {task} task one of: {', '.join(accepted)}")
    for name, value in term.params.items():
        if problem := _param_problem(loss, name, value):
            raise _loss_refusal(place, "params", f"{term.name}: {problem}")


def _param_problem(loss: Loss, name: str, value: float) -> str | None:
    if name not in loss.params:
        return f"there is no {name!r}; accepted: {', '.join(loss.params) or 'none'}"
    low, high = loss.params[name]
    return None if low <= value <= high else f"{name} must be from {low:g} to {high:g}"


def _check_weighting(spec: OptimizationSpec, task: str) -> None:
    is_given = spec.class_weighting == "given"
    if is_given != bool(spec.class_weights):
        wanted = "one number per class" if is_given else "an empty list, or class_weighting `given`"
        raise _refusal("The class weights do not go with class_weighting.", {"class_weights": [wanted]})
    if is_given and not any(spec.class_weights):
        raise _refusal("Every class weight is 0.", {"class_weights": ["at least one above 0"]})
    weighing = weighing_losses(task)
    if spec.class_weighting != "none" and not any(term.name in weighing for term in spec.losses):
        problem = f"none, or one of these losses: {', '.join(weighing)}"
        raise _refusal("No loss of this spec takes class weights.", {"class_weighting": [problem]})


def weighing_losses(task: str) -> list[str]:
    """The losses that take class weights; where each logit is a yes or no, only those that add up pixel by
    pixel do."""
    names = [name for name, loss in LOSSES.items() if loss.takes_class_weights]
    return [name for name in names if task == "multiclass" or name in ("cross_entropy", "bce")]


def _loss_refusal(place: int, field: str, problem: str) -> InvalidRequest:
    return _refusal(
        f"optimization.losses[{place}] cannot be used: {problem}.",
        {"losses": {str(place): {field: [problem]}}},
    )


def _refusal(message: str, errors: dict[str, object]) -> InvalidRequest:
    return InvalidRequest(message, errors={"spec": {"optimization": errors}})
