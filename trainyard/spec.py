"""The training spec: one definition from which validation, OpenAPI, forms and command-line flags are made.

There are no defaults here: `configs/defaults.yaml` is their only home, and a stored spec is complete,
so that a run can be repeated from its record alone.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from marshmallow import ValidationError, validate

from trainyard import catalog


def _number(minimum: float, maximum: float, unit: str, help: str) -> Any:
    """A required number within [minimum, maximum]."""
    return _described(help, validate.Range(min=minimum, max=maximum), unit=unit)


def _whole(minimum: int, maximum: int, unit: str, help: str) -> Any:
    """A required whole number within [minimum, maximum]; 8.5 is refused, not cut to 8."""
    made = _number(minimum, maximum, unit, help)
    return field(metadata={**made.metadata, "strict": True})


def _choice(names: tuple[str, ...], help: str) -> Any:
    """A required name out of a list."""
    return _described(help, validate.OneOf(names, error="Must be one of: {choices}."))


def _described(help: str, validator: Any = None, **extra: str) -> Any:
    return field(metadata={"validate": validator, "metadata": {"description": help, **extra}})


def _known_encoder(name: str) -> None:
    if problem := catalog.check_encoder(name):
        raise ValidationError(problem)


def _known_weights(name: str) -> None:
    if name in catalog.WEIGHTS or name.startswith(catalog.WEIGHTS_FILE_PREFIX):
        return
    raise ValidationError(
        f"Must be one of: {', '.join(catalog.WEIGHTS)}, or file:<path inside the storage's weights folder>."
    )


@dataclass(frozen=True, kw_only=True)
class TransformSpec:
    """One albumentations transform by its class name, with its parameters."""

    name: str = _choice(catalog.TRANSFORMS, "albumentations class name")
    params: dict[str, Any] = _described("keyword arguments of that class, `p` included")


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec:
    """How training images are varied. A preset is laid out into its transforms when the run is submitted."""

    preset: str = _described("file name in configs/augmentation/ without .yaml, or `custom`")
    transforms: list[TransformSpec] = _described("applied in this order, before the resize")


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """The network."""

    architecture: str = _choice(tuple(catalog.ARCHITECTURES), "architecture of segmentation_models_pytorch")
    encoder: str = _described("encoder of smp, or `tu-` and a timm model", _known_encoder)
    encoder_weights: str = _described(
        "none | imagenet | packaged | file:<path inside the storage's weights folder>", _known_weights
    )


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """How images become batches."""

    image_size: int = _whole(32, 4096, "px", "height and width of a training image; rounded up as needed")
    fit: str = _choice(catalog.FITS, "stretch to the square, or letterbox with ignored borders")
    batch_size: int = _whole(1, 1024, "images", "images per optimizer step")
    loader_workers: int = _whole(0, 64, "processes", "loader processes; 0 loads in the training process")
    val_fraction: float | None = field(
        metadata={
            "allow_none": True,
            "validate": validate.Range(min=0, max=0.9, min_inclusive=False),
            "metadata": {
                "description": "draw validation anew as this share of train + val; null keeps the set's split"
            },
        }
    )
    split_index: int | None = field(
        metadata={
            "allow_none": True,
            "strict": True,
            "validate": validate.Range(min=0, max=99),
            "metadata": {
                "description": "validate with this fold of the set, counted from 0, and train on the others; "
                "null keeps the set's split"
            },
        }
    )


@dataclass(frozen=True, kw_only=True)
class OptimizationSpec:
    """How weights move."""

    loss: str = _choice(catalog.LOSSES, "Dice + cross-entropy")
    optimizer: str = _choice(catalog.OPTIMIZERS, "optimizer")
    learning_rate: float = _number(1e-8, 1.0, "", "peak learning rate")
    encoder_lr_factor: float = _number(0, 1, "", "learning rate of the encoder as a share of the peak")
    weight_decay: float = _number(0, 1, "", "decoupled weight decay; biases and norms have none")
    schedule: str = _choice(catalog.SCHEDULES, "cosine decay to a hundredth of the peak after the warm-up")
    warmup_fraction: float = _number(0, 0.5, "share of all steps", "linear warm-up")
    gradient_clip: float = _number(0, 1000, "L2 norm", "gradients are clipped to this norm; 0 does not clip")


@dataclass(frozen=True, kw_only=True)
class CheckpointSpec:
    """Which weights are kept. `best` and `last` always are."""

    every_epochs: int = _whole(0, 10_000, "epochs", "also keep one of every n epochs; 0 keeps none")


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """Everything that decides what a run computes."""

    model: ModelSpec
    data: DataSpec
    augmentation: AugmentationSpec
    optimization: OptimizationSpec
    checkpoints: CheckpointSpec
    epochs: int = _whole(1, 100_000, "epochs", "epochs to train; may be changed while the run trains")
    precision: str = _choice(catalog.PRECISIONS, "auto takes bf16 where the device computes it natively")
    seed: int = _whole(0, 2**32 - 1, "", "seed of weights, order and augmentation")
    export_onnx: bool = _described("write a verified ONNX file on completion")

    def to_dict(self) -> dict[str, Any]:
        """The spec as plain JSON data."""
        return asdict(self)
