"""Detection: what a spec of it may name, and what must go together."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from trainyard.catalog.encoder_pairs import only_size, unfit_architectures
from trainyard.catalog.names import (
    WHERE_IT_TRAINS,
    Architecture,
    Loss,
    encoder_names,
    has_imagenet_weights,
)
from trainyard.catalog.transforms import HOLES
from trainyard.errors import InvalidRequest
from trainyard.plugins.offers import is_offered_name
from trainyard.tasks.description import Chart, TaskDescription
from trainyard.tasks.losses import check_losses, check_weighting, loss_refusal

if TYPE_CHECKING:
    from trainyard.spec.training_spec import AugmentationSpec, ModelSpec, TrainingSpec

BOXES, INSTANCES = "detection", "instance_segmentation"
FORMS = (BOXES, INSTANCES)

TWO_STAGE_TERMS = ("objectness", "proposal_box", "classification", "box")
TERMS = {
    "FasterRCNN": TWO_STAGE_TERMS,
    "MaskRCNN": (*TWO_STAGE_TERMS, "mask"),
    "RetinaNet": ("classification", "box"),
    "FCOS": ("classification", "box", "centerness"),
    "SSDlite": ("classification", "box"),
}
"""What the loss of each architecture is made of; each is a column of an epoch's row."""

DETECTOR = "detector"
LOSSES = {
    DETECTOR: Loss(
        tasks=FORMS,
        params=dict.fromkeys((*TERMS["MaskRCNN"], "centerness"), (0, 100)),
    )
}
"""The architecture's own: the sum of its terms, each times the parameter of its name; left out they are 1."""

ARCHITECTURES = {
    name: Architecture(
        name=name,
        size_multiple=32,
        min_size=64,
        min_batch=2 if name == "SSDlite" else 1,
        dynamic_size=False,
    )
    for name in TERMS
}
"""torchvision's detectors. SSDlite's last map would be of less than a pixel below 64, and is of one up to
512, of which its batch norms need two."""
MASKED = ("MaskRCNN",)
"""Those of the form instance_segmentation; the others are of the form detection."""
_PYRAMID = "FPN"
"""The architecture of segmentation that asks of an encoder what detectors do: maps of strides 4 to 32."""

FITS = ("stretch", "letterbox")

_SCORES = ("map", "map50", "map75", "mar100")


def check_spec(spec: "TrainingSpec", asked: Collection[str]) -> None:
    """As a TaskDescription's."""
    if "model" in asked or "export" in asked:
        _check_offered(spec)
    if "model" in asked:
        _check_form(spec.model)
        _check_encoder(spec.model)
    if "model" in asked or "data" in asked:
        _check_only_size(spec.model, spec.data.image_size)
    if "model" in asked or "optimization" in asked:
        check_losses(spec.optimization.losses, LOSSES, spec.model.task)
        _check_terms(spec)
        check_weighting(spec.optimization, ())
    if {"model", "early_stopping", "checkpoints"}.intersection(asked):
        _check_monitors(spec)
    if {"data", "augmentation", "compute"}.intersection(asked):
        _check_of_other_tasks(spec)
    if "augmentation" in asked:
        _check_device_form(spec.augmentation)


def check_classes(spec: "TrainingSpec", classes: int, task: str) -> None:
    """As a TaskDescription's: any number of them, each object has one."""


def _check_form(model: "ModelSpec") -> None:
    masked = model.architecture in MASKED
    if model.architecture in ARCHITECTURES and masked != (model.task == INSTANCES):
        fit = [name for name in ARCHITECTURES if (name in MASKED) != masked]
        raise _model_refusal(
            f"{model.architecture} tells {'outlines' if masked else 'boxes'}; the form is {model.task}.",
            "architecture",
            f"of the form {model.task} one of: {', '.join(fit)}",
        )


def _check_offered(spec: "TrainingSpec") -> None:
    """What a plug-in's detector is made of nobody knows here: it finds boxes, and is kept as a checkpoint."""
    if not is_offered_name(spec.model.architecture):
        return
    if spec.model.task == INSTANCES:
        raise _model_refusal("A plug-in's detector finds boxes.", "task", f"{BOXES} with this architecture")
    if spec.export.onnx:
        raise InvalidRequest(
            "A plug-in's detector has no graph whose boxes could be matched with the network's.",
            errors={"spec": {"export": {"onnx": ["false: checkpoints hold its weights"]}}},
        )


def _check_encoder(model: "ModelSpec") -> None:
    if is_offered_name(model.architecture):
        return
    if _PYRAMID in unfit_architectures(model.encoder):
        raise _model_refusal(
            f"{model.encoder} gives no maps of strides 4 to 32, of which detectors need some.",
            "encoder",
            "another one, such as resnet18 or timm-tf_efficientnet_lite0",
        )
    if (
        model.encoder_weights == "imagenet"
        and model.encoder in encoder_names()
        and not has_imagenet_weights(model.encoder)
    ):
        raise _model_refusal(
            f"{model.encoder} has no ImageNet weights.",
            "encoder_weights",
            "not imagenet: this encoder has no such weights",
        )


def _check_only_size(model: "ModelSpec", image_size: int) -> None:
    size = only_size(_PYRAMID, model.encoder)
    own = ARCHITECTURES.get(model.architecture)  # none of a stored spec's, or of a plug-in's
    if size and own is not None and own.rounded(image_size) != size:
        raise InvalidRequest(
            f"{model.encoder} takes images of {size} px only.",
            errors={"spec": {"data": {"image_size": [f"{size} with this encoder"]}}},
        )


def _check_terms(spec: "TrainingSpec") -> None:
    """A factor of a term that the architecture has not would be of nothing."""
    terms = TERMS.get(spec.model.architecture, ())
    for place, loss in enumerate(spec.optimization.losses):
        if unknown := [name for name in loss.params if name not in terms]:
            problem = f"{spec.model.architecture} has no {unknown[0]}; it has: {', '.join(terms)}"
            raise loss_refusal(place, "params", problem)


def _check_monitors(spec: "TrainingSpec") -> None:
    if spec.model.task == INSTANCES:
        return
    for part, monitor in (
        ("early_stopping", spec.early_stopping.monitor),
        ("checkpoints", spec.checkpoints.monitor),
    ):
        if monitor.startswith("val_mask_"):
            raise InvalidRequest(
                f"{part}.monitor is {monitor}, and the form detection tells no outlines.",
                errors={"spec": {part: {"monitor": [f"{monitor.replace('mask_', '')}, or another metric"]}}},
            )


def _check_of_other_tasks(spec: "TrainingSpec") -> None:
    """What detection has no form of is refused, rather than left undone in silence."""
    whole = "as it is by default"
    for part, field, given, accepted in (
        ("augmentation", "mixup_alpha", spec.augmentation.mixup_alpha, whole),
        ("augmentation", "cutmix_alpha", spec.augmentation.cutmix_alpha, whole),
        ("data", "class_sampling", spec.data.class_sampling != "natural", whole),
        ("data", "eval_topk", spec.data.eval_topk, whole),
        (
            "data",
            "fit",
            spec.data.fit not in FITS,
            f"one of: {', '.join(FITS)}; objects are looked for in whole images, and learnt in such: to vary "
            "their size take Affine with a scale",
        ),
        (
            "compute",
            "compile",
            spec.compute.compile,
            "false: what is found differs in number, batch by batch",
        ),
    ):
        if given:
            raise InvalidRequest(
                f"Detection has no {part}.{field} of this value.",
                errors={"spec": {part: {field: [accepted]}}},
            )


def _check_device_form(augmentation: "AugmentationSpec") -> None:
    """Whether an object is still seen behind a hole is counted where its box is."""
    if augmentation.device != WHERE_IT_TRAINS:
        return
    for place, transform in enumerate(augmentation.transforms):
        if transform.name == HOLES:
            raise InvalidRequest(
                f"augmentation.transforms[{place}] cannot be {HOLES}: detection leaves out what holes hide, "
                "which is known on the CPU alone (augmentation.device is training).",
                remedy="Leave it out, or set augmentation.device to cpu.",
                errors={
                    "spec": {
                        "augmentation": {"transforms": {str(place): {"name": ["another one, or device cpu"]}}}
                    }
                },
            )


def _model_refusal(message: str, field: str, problem: str) -> InvalidRequest:
    return InvalidRequest(message, errors={"spec": {"model": {field: [problem]}}})


DETECTION = TaskDescription(
    name="detection",
    help="objects in an image, each with its class and its box, or its outline as well",
    kind="boxes",
    form_kinds={INSTANCES: "outlines"},
    forms=FORMS,
    architectures=ARCHITECTURES,
    losses=LOSSES,
    monitors={
        **{f"val_{name}": "max" for name in _SCORES},
        **{f"val_mask_{name}": "max" for name in _SCORES},
        "val_loss": "min",
        "train_loss": "min",
    },
    headline=("val_map50", "val mAP50"),
    charts=(
        Chart(title="mAP", names=("val_map", "val_map50", "val_mask_map", "val_mask_map50")),
        Chart(title="Mean recall", names=("val_mar1", "val_mar10", "val_mar100")),
        Chart(title="mAP by size", names=("val_map_small", "val_map_medium", "val_map_large")),
        Chart(
            title="Terms of the loss",
            names=tuple(f"train_loss_{term}" for term in (*TERMS["MaskRCNN"], "centerness")),
        ),
    ),
    class_scores=("val_ap/", "Average precision of each class"),
    parity=("val_map50", "mAP50"),
    difference="pixels of a box's side",
    min_classes=1,
    check_spec=check_spec,
    check_classes=check_classes,
)
