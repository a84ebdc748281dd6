"""Classification: what a spec of it may name, and what must go together."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from trainyard.catalog.names import Architecture, Loss, has_imagenet_weights
from trainyard.errors import InvalidRequest
from trainyard.tasks.description import Chart, TaskDescription
from trainyard.tasks.losses import check_losses, check_weight_count, check_weighting, loss_refusal

if TYPE_CHECKING:
    from trainyard.spec.training_spec import ModelSpec, TrainingSpec

MULTICLASS, MULTILABEL = "multiclass", "multilabel"
FORMS = (MULTICLASS, MULTILABEL)
CLASSIFIER = "Classifier"
LARGEST_TOP = 10

LOSSES = {
    "cross_entropy": Loss(
        tasks=(MULTICLASS,), takes_class_weights=True, params={"label_smoothing": (0, 0.5)}
    ),
    "bce": Loss(tasks=FORMS, takes_class_weights=True, params={"label_smoothing": (0, 0.5)}),
    "focal": Loss(tasks=FORMS, takes_class_weights=True, params={"alpha": (0, 1), "gamma": (0, 10)}),
}
"""Parameters that are left out: no smoothing, gamma 2, and no alpha, which weighs yes against no and so is of
the form multilabel."""

ARCHITECTURES = {CLASSIFIER: Architecture(name=CLASSIFIER, size_multiple=1, dynamic_size=False)}
"""A linear layer on the pooled features of any encoder; exported for the trained size, which is what an image
is brought to."""

_SCORES = ("f1", "map", "auroc", "kappa", "recall_micro", "recall_macro")


def check_spec(spec: "TrainingSpec", asked: Collection[str]) -> None:
    """As a TaskDescription's."""
    model, optimization = spec.model, spec.optimization
    if "model" in asked:
        _check_weights(model)
    if "model" in asked or "optimization" in asked:
        check_losses(optimization.losses, LOSSES, model.task)
        _check_alpha(spec)
        check_weighting(optimization, list(LOSSES))
    if "data" in asked or "early_stopping" in asked or "checkpoints" in asked:
        _check_monitors(spec)


def check_classes(spec: "TrainingSpec", classes: int, task: str) -> None:
    """As a TaskDescription's."""
    if spec.model.task != task:
        raise InvalidRequest(
            f"The data set is {task}, and the task of the model {spec.model.task}.",
            errors={"spec": {"model": {"task": [f"{task}: what this set is"]}}},
        )
    check_weight_count(spec.optimization, classes)


def _check_weights(model: "ModelSpec") -> None:
    if model.encoder_weights == "imagenet" and not has_imagenet_weights(model.encoder):
        problem = "not imagenet: this encoder has no such weights"
        raise InvalidRequest(
            f"{model.encoder} has no ImageNet weights.",
            errors={"spec": {"model": {"encoder_weights": [problem]}}},
        )


def _check_alpha(spec: "TrainingSpec") -> None:
    """It weighs a yes against a no, of which classes that exclude each other have none."""
    if spec.model.task == MULTILABEL:
        return
    for place, term in enumerate(spec.optimization.losses):
        if term.name == "focal" and "alpha" in term.params:
            raise loss_refusal(place, "params", "alpha is of the form multilabel; take class_weights")


def _check_monitors(spec: "TrainingSpec") -> None:
    """Of the top k those are scored that the spec asks for."""
    scored = {1, *spec.data.eval_topk}
    for part, monitor in (
        ("early_stopping", spec.early_stopping.monitor),
        ("checkpoints", spec.checkpoints.monitor),
    ):
        _, is_top, k = monitor.partition("val_acc")
        if is_top and int(k) not in scored:
            raise InvalidRequest(
                f"{part}.monitor is {monitor}, which data.eval_topk does not ask for.",
                errors={"spec": {part: {"monitor": [f"another metric, or {k} in data.eval_topk"]}}},
            )


CLASSIFICATION = TaskDescription(
    name="classification",
    help="a class for each image, or several",
    kind="labels",
    forms=FORMS,
    architectures=ARCHITECTURES,
    losses=LOSSES,
    monitors={
        **{f"val_acc{k}": "max" for k in range(1, LARGEST_TOP + 1)},
        **{f"val_{name}": "max" for name in _SCORES},
        "val_loss": "min",
        "train_loss": "min",
    },
    headline=("val_acc1", "val acc@1"),
    charts=(
        Chart(title="Accuracy", names=("train_acc1", "val_acc1")),
        Chart(title="mAP, F1, AUROC, kappa", names=("val_map", "val_f1", "val_auroc", "val_kappa")),
    ),
    class_scores=("val_f1/", "F1 of each class"),
    parity=("val_accuracy", "accuracy"),
    min_classes=2,
    encoder_sources=True,
    check_spec=check_spec,
    check_classes=check_classes,
)
