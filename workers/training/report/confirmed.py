"""How the score that made an epoch the best stands beside that of all validation images."""

from typing import Any

from trainyard.spec.training_spec import DataSpec
from workers.training.report.learning import Learning


def validation_of(
    data: DataSpec, numbers: dict[str, Any], learning: Learning, epoch: int, metric: str
) -> dict[str, Any]:
    """Of how many images the scores are; `numbers` are of all of validation, with the weights of `epoch`.

    `<metric>_in_training` is that epoch's own, of `images_per_epoch`; None where the epoch was not validated.
    """
    images = numbers["images"]
    return {
        "epoch": epoch,
        "every_epochs": data.val_every_epochs,
        "images": images,
        "images_per_epoch": min(images, data.val_max_images or images),
        metric: numbers[metric],
        f"{metric}_in_training": dict(learning.curves[f"val_{metric}"]).get(epoch),
    }


def confirmation(validation: dict[str, Any], metric: str, title: str) -> list[str]:
    """A sentence, with that title of the metric, where epochs were validated on some of the images only."""
    some, images, epoch = validation["images_per_epoch"], validation["images"], validation["epoch"]
    if some == images:
        return []
    known, whole = _score(validation[f"{metric}_in_training"]), _score(validation[metric])
    return [
        f"Epochs were validated on {some} of the {images} validation images, on which epoch {epoch} has "
        f"{title} {known}; on all of them it has {whole}."
    ]


def _score(value: float | None) -> str:
    return "no score" if value is None else f"{value:.4f}"
