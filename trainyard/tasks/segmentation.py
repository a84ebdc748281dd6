"""Segmentation: what a spec of it may name, and what must go together."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from trainyard.catalog.encoder_pairs import only_size, unfit_architectures
from trainyard.catalog.names import TIMM_PREFIX, Architecture, Loss, has_imagenet_weights
from trainyard.catalog.transform_checks import check_mask_fill
from trainyard.errors import InvalidRequest
from trainyard.tasks.description import Chart, TaskDescription
from trainyard.tasks.losses import check_losses, check_weight_count, check_weighting

if TYPE_CHECKING:
    from trainyard.spec.training_spec import ModelSpec, TrainingSpec

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
        check_losses(optimization.losses, LOSSES, model.task)
        check_weighting(optimization, weighing_losses(model.task))
    if "data" in asked or "augmentation" in asked:
        _check_of_images(spec)


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
    check_weight_count(spec.optimization, classes)
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


def _check_of_images(spec: "TrainingSpec") -> None:
    """What is about images that have labels as a whole."""
    for part, field, given in (
        ("augmentation", "mixup_alpha", spec.augmentation.mixup_alpha),
        ("augmentation", "cutmix_alpha", spec.augmentation.cutmix_alpha),
        ("data", "class_sampling", spec.data.class_sampling != "natural"),
        ("data", "eval_topk", spec.data.eval_topk),
    ):
        if given:
            raise InvalidRequest(
                f"{part}.{field} is of classification.",
                errors={"spec": {part: {field: ["as it is by default, or the task classification"]}}},
            )


def weighing_losses(task: str) -> list[str]:
    """The losses that take class weights; where each logit is a yes or no, only those that add up pixel by
    pixel do."""
    names = [name for name, loss in LOSSES.items() if loss.takes_class_weights]
    return [name for name in names if task == "multiclass" or name in ("cross_entropy", "bce")]


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
    class_scores=("val_iou/", "IoU of each class"),
    parity=("val_miou", "mIoU"),
    min_classes=2,
    check_spec=check_spec,
    check_classes=check_classes,
)
