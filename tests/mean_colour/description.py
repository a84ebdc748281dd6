"""A task for tests, as a spec sees it: tell the mean colour of an image."""

from collections.abc import Collection

from trainyard.catalog.names import Architecture, Loss
from trainyard.errors import InvalidRequest
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.description import TaskDescription

MAX_SIZE = 64


def _check_spec(spec: TrainingSpec, asked: Collection[str]) -> None:
    if "data" in asked and spec.data.image_size > MAX_SIZE:
        raise InvalidRequest("Too large.", errors={"spec": {"data": {"image_size": [f"at most {MAX_SIZE}"]}}})


def _check_classes(spec: TrainingSpec, classes: int, task: str) -> None:
    """Colours need no classes."""


MEAN_COLOUR = TaskDescription(
    name="mean_colour",
    help="the mean colour of an image",
    kind="masks",
    forms=("colour",),
    architectures={"Pooled": Architecture(name="Pooled", size_multiple=4)},
    losses={"squares": Loss(tasks=("colour",), params={})},
    monitors={"val_error": "min", "val_within": "max", "val_loss": "min", "train_loss": "min"},
    headline=("val_error", "error"),
    min_classes=0,
    check_spec=_check_spec,
    check_classes=_check_classes,
)
