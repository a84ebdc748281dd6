"""Segmentation: what a spec of it may name, and what must go together."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from trainyard.catalog.encoder_pairs import only_size, unfit_architectures
from trainyard.catalog.names import TIMM_PREFIX, Architecture, Loss, has_imagenet_weights
from trainyard.catalog.transform_checks import check_mask_fill
from trainyard.errors import InvalidRequest
from trainyard.tasks.description import Chart, TaskDescription

if TYPE_CHECKING:
    from trainyard.spec.training_spec import LossSpec, ModelSpec, OptimizationSpec, TrainingSpec

FORMS = ("multiclass", "binary", "multilabel")
BINARY_CLASSES = 2

LOSSES = {
    "cross_entropy": Loss(tasks=FORMS, takes_class_weights=True, params={"label_smoothing": (0, 0.5)}),
    "bce": Loss(tasks=FORMS, takes_class_weights=True, params={"label_smoothing": (0, 0.5)}),
    "dice": Loss(tasks=FORMS, takes_class_weights=True, params={"smooth": (0, 1000)}),
    "jaccard": Loss(tasks=FORMS, takes_class_weights=True, params={"smooth": (0, 1000)}),
    "focal": Loss(tasks=FORMS, takes_class_weights=True, params={"alpha": (0, 1), "gamma": (0, 10)}),
    "lovasz": Loss(tasks=FORMS, params={}),
    "tversky": Loss(
        tasks=FORMS,
        takes_class_weights=True,
        params={"alpha": (0, 10), "beta": (0, 10), "gamma": (0.1, 10), "smooth": (0, 1000)},
    ),
    "mcc": Loss(tasks=("binary", "multilabel"), params={}),
}
"""Losses of segmentation_models_pytorch and torch; parameters are theirs, left out they have their values.

Class weights count in the form multiclass; those of bce and cross_entropy in every form.
"""

_ARCHITECTURES = (
    Architecture(name="Unet", size_multiple=1),
    Architecture(name="UnetPlusPlus", size_multiple=32),
    Architecture(name="MAnet", size_multiple=32),
    Architecture(name="Linknet", size_multiple=32),
    Architecture(name="FPN", size_multiple=32),
    Architecture(name="PSPNet", size_multiple=8, dynamic_size=False),
    Architecture(name="DeepLabV3", size_multiple=8, min_batch=2),
    Architecture(name="DeepLabV3Plus", size_multiple=16, min_batch=2),
    Architecture(name="PAN", size_multiple=16, min_size=128, min_batch=2),
    Architecture(name="UPerNet", size_multiple=32, min_batch=2, dynamic_size=False),
    Architecture(name="Segformer", size_multiple=32),
    Architecture(name="DPT", size_multiple=32, encoder_prefix=TIMM_PREFIX),
)
ARCHITECTURES = {architecture.name: architecture for architecture in _ARCHITECTURES}
"""Those of segmentation_models_pytorch."""


def architecture(name: str) -> Architecture:
    """Look an architecture up; raises InvalidRequest that lists the accepted names."""
    if name not in ARCHITECTURES:
        raise InvalidRequest(
            f"No architecture is called {name!r}.",
            errors={"spec.model.architecture": [f"one of: {', '.join(ARCHITECTURES)}"]},
        )
    return ARCHITECTURES[name]


def check_spec(spec: "TrainingSpec", asked: Collection[str]) -> None:
    """As a TaskDescription's."""
    model, optimization = spec.model, spec.optimization
    if "model" in asked:
        _check_encoder(model)
    if "model" in asked or "data" in asked:
        _check_only_size(model, spec.data.image_size)
    if "model" in asked or "optimization" in asked:
        for place, term in enumerate(optimization.losses):
            _check_loss(place, term, model.task)
        _check_weighting(optimization, model.task)


def check_classes(spec: "TrainingSpec", classes: int, task: str) -> None:
    """As a TaskDescription's."""
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


def _check_encoder(model: "ModelSpec") -> None:
    """By the architecture's rule, and by what was found when every pair was tried."""
    needed = _rule_of(model).encoder_prefix
    if not model.encoder.startswith(needed):
        raise _encoder_refusal(model, "encoder", f"must begin with {needed!r}")
    if model.architecture in (unfit := unfit_architectures(model.encoder)):
        fit = ", ".join(name for name in ARCHITECTURES if name not in unfit)
        raise _encoder_refusal(model, "encoder", f"goes with {fit or 'no architecture'}")
    if model.encoder_weights == "imagenet" and not has_imagenet_weights(model.encoder):
        raise _encoder_refusal(model, "encoder_weights", "not imagenet: this encoder has no such weights")


def _check_only_size(model: "ModelSpec", image_size: int) -> None:
    """Some encoders are built for one size."""
    size = only_size(model.architecture, model.encoder)
    if size and _rule_of(model).rounded(image_size) != size:
        raise InvalidRequest(
            f"{model.encoder} in {model.architecture} takes images of {size} px only.",
            errors={"spec": {"data": {"image_size": [f"{size} with this encoder"]}}},
        )


def _rule_of(model: "ModelSpec") -> Architecture:
    return ARCHITECTURES.get(model.architecture) or Architecture(name=model.architecture, size_multiple=1)


def _encoder_refusal(model: "ModelSpec", field: str, problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"{model.architecture} with the encoder {model.encoder!r} cannot be trained so: {field} {problem}.",
        errors={"spec": {"model": {field: [problem]}}},
    )


def _check_loss(place: int, term: "LossSpec", task: str) -> None:
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


def _check_weighting(spec: "OptimizationSpec", task: str) -> None:
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


SEGMENTATION = TaskDescription(
    name="segmentation",
    help="a class for each pixel, or several",
    kind="masks",
    forms=FORMS,
    architectures=ARCHITECTURES,
    losses=LOSSES,
    monitors={"val_miou": "max", "val_dice": "max", "val_loss": "min", "train_loss": "min"},
    headline=("val_miou", "val mIoU"),
    charts=(
        Chart(title="Mean IoU", names=("train_miou", "val_miou")),
        Chart(title="Dice", names=("train_dice", "val_dice")),
    ),
    min_classes=2,
    check_spec=check_spec,
    check_classes=check_classes,
)
