"""The training spec: one definition from which validation, OpenAPI, forms and command-line flags are made.

There are no defaults here: `configs/defaults.yaml` is their only home, and a stored spec is complete,
so that a run can be repeated from its record alone. These rules are for requests; what is stored is read by
`stored.py`, which trusts it.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from marshmallow import ValidationError, validate

from trainyard.catalog import names as catalog
from trainyard.catalog.encoder_sources import FOLDER_PREFIX, check_source, is_source
from trainyard.plugins.offers import VALIDATED, is_offered_name
from trainyard.spec.fields import (
    AUTO,
    choice,
    choice_or_offer,
    described,
    number,
    share,
    whole,
    whole_or_auto,
    whole_or_list,
    whole_or_none,
)
from trainyard.tasks import registry as tasks
from trainyard.tasks.classification import LARGEST_TOP

SPEC_VERSION = 7
"""The present form of a spec; `stored.py` reads this one and those before it."""
MAX_CLASSES = 10_000
"""Of a set whose images have labels; masks tell 255 apart."""
MAX_CLASS_WEIGHT = 1000
MAX_BATCH = 1024
MAX_DEVICES = 64


def _known_encoder(name: str) -> None:
    if is_offered_name(name):
        return
    problem = check_source(name) if is_source(name) else catalog.check_encoder(name)
    if problem:
        raise ValidationError(problem)


def _known_weights(name: str) -> None:
    if name in catalog.WEIGHTS or name.startswith(catalog.WEIGHTS_FILE_PREFIX):
        return
    raise ValidationError(
        f"Must be one of: {', '.join(catalog.WEIGHTS)}, or file:<path inside the storage's weights folder>."
    )


def _known_class_weights(weights: list[float]) -> None:
    if len(weights) > MAX_CLASSES or not all(0 <= weight <= MAX_CLASS_WEIGHT for weight in weights):
        raise ValidationError(f"Must be at most {MAX_CLASSES} numbers from 0 to {MAX_CLASS_WEIGHT}.")


def _known_topk(places: list[int]) -> None:
    if len(set(places)) < len(places) or not all(2 <= place <= LARGEST_TOP for place in places):
        raise ValidationError(f"Must be different whole numbers from 2 to {LARGEST_TOP}.")


@dataclass(frozen=True, kw_only=True)
class TransformSpec:
    """One albumentations transform by its class name, with its parameters."""

    name: str = choice(catalog.TRANSFORMS, "albumentations class name")
    params: dict[str, Any] = described("keyword arguments of that class, `p` included")


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec:
    """How training images are varied. A preset is laid out into its transforms when the run is submitted."""

    preset: str = described("file name in configs/augmentation/ without .yaml, or `custom`")
    transforms: list[TransformSpec] = described("applied in this order, to images of the trained size")
    mixup_alpha: float = number(
        0,
        10,
        "",
        "classification: blend images two by two, by a share of Beta(alpha, alpha); 0 does not",
    )
    cutmix_alpha: float = number(
        0,
        10,
        "",
        "classification: paste a box of another image, of an area of Beta(alpha, alpha); 0 does not; with "
        "mixup, half of the batches each",
    )
    validation: list[TransformSpec] = described(
        "transforms that every image is seen through after training: in validation, report and predictions; "
        "they draw nothing, as CLAHE with p 1 and clip_limit [4, 4]; training has what `transforms` say"
    )
    min_visibility: float = number(
        0,
        1,
        "share of the area",
        "detection: objects of which less is still in the varied image are not learnt from it",
    )
    device: str = choice(
        catalog.AUGMENTATION_DEVICES,
        "where training images are varied: cpu by loader processes, training on the device that trains, "
        "which knows flips, turns, affine and perspective maps, then colours, blur, noise and holes",
    )


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """The network."""

    architecture: str = choice_or_offer(
        tasks.architectures,
        "architecture of segmentation_models_pytorch; of classification Classifier, a linear layer on the "
        "encoder's pooled features; of detection one of torchvision's detectors",
    )
    encoder: str = described(
        "encoder of smp, or `tu-` and a timm model; of classification also hf-hub:OWNER/NAME of the model "
        "hub, or folder:<path inside the storage's weights folder>, with a model as timm writes it",
        _known_encoder,
    )
    task: str = choice(
        tasks.forms,
        "multiclass: one logit per class; binary: one logit, for the second of two classes; multilabel: one "
        "logit per class, of which a pixel or image may have several or none; of detection: boxes, or with "
        "instance_segmentation outlines as well",
    )
    encoder_weights: str = described(
        "none | imagenet, of an encoder of the hub or of a folder those that lie there | packaged | "
        "file:<path inside the storage's weights folder>",
        _known_weights,
    )

    @property
    def encoder_folder(self) -> str | None:
        """The folder that is named as encoder; None where it comes from elsewhere."""
        named = self.encoder
        return named.removeprefix(FOLDER_PREFIX) if named.startswith(FOLDER_PREFIX) else None

    @property
    def weights_file(self) -> str | None:
        """The file that is named as weights; None where they come from elsewhere."""
        prefix = catalog.WEIGHTS_FILE_PREFIX
        named = self.encoder_weights
        return named.removeprefix(prefix) if named.startswith(prefix) else None


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """How images become batches."""

    image_size: int = whole(32, 4096, "px", "height and width of a training image; rounded up as needed")
    fit: str = choice(
        catalog.FITS,
        "stretch to the square, letterbox with ignored borders, or crop: of segmentation at the image's own "
        "scale, of classification a part of random size, and the middle in validation",
    )
    rare_class_chance: float = number(
        0, 1, "", "crop: share of crops around a class with few pixels; validation takes every pixel once"
    )
    crop_min_area: float = number(
        0.01, 1, "share of the image", "classification, crop: the least that a training image shows"
    )
    class_sampling: str = choice(
        catalog.CLASS_SAMPLINGS,
        "classification: natural trains on each image once an epoch, balanced draws as many images of each "
        "class",
    )
    batch_size: int | Literal["auto"] = whole_or_auto(
        1,
        MAX_BATCH,
        "images",
        "images per batch, on each device; auto finds the largest that fits, up to 8 on a CPU, where larger "
        "ones bring no speed",
    )
    loader_workers: int | Literal["auto"] = whole_or_auto(
        0,
        64,
        "processes",
        "loader processes of each device; 0 loads in the training process; auto takes as many as a GPU with "
        "such transforms needs, at most one less than there are cores, and none on a CPU",
    )
    val_fraction: float | None = field(
        metadata={
            "allow_none": True,
            "validate": validate.Range(min=0, max=0.9, min_inclusive=False),
            "metadata": {
                "description": "draw validation anew as this share of train + val; null keeps the set's split"
            },
        }
    )
    split_index: int | None = whole_or_none(
        0,
        99,
        "",
        "validate with this fold of the set, counted from 0, and train on the others; null keeps the set's "
        "split",
    )
    val_every_epochs: int = whole(
        1, 100_000, "epochs", "validate every n-th epoch, counted from the first, and always the last one"
    )
    val_max_images: int | None = whole_or_none(
        1,
        1_000_000,
        "images",
        "validate epochs with so many of the validation images, drawn by the seed so that every class is "
        "among them; the best checkpoint of a completed run is scored on all; null takes all in each",
    )
    eval_topk: list[int] = described(
        "classification: also score with how many images a true class is among the k most probable ones, for "
        f"each k from 2 to {LARGEST_TOP} in the list",
        _known_topk,
    )

    @property
    def finds_batch(self) -> bool:
        """Whether the worker is to find the batch size."""
        return self.batch_size == AUTO

    @property
    def batch(self) -> int:
        """Images per batch, of a spec that a worker has settled."""
        assert self.batch_size != "auto"  # noqa: S101 - narrows the type
        return self.batch_size


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """One term of the loss."""

    name: str = choice_or_offer(tasks.losses, "loss")
    weight: float = number(0.001, 1000, "", "its factor in the sum of all terms")
    params: dict[str, float] = described("its own parameters, as the catalogue lists them; may be empty")


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """The learning rate over the run, as a share of its peak; follows the epoch target when that changes."""

    name: str = choice(catalog.SCHEDULES, "shape after the warm-up")
    warmup_fraction: float = number(0, 0.5, "share of all steps", "rise to the peak")
    final_factor: float = number(
        0, 1, "share of the peak", "where cosine, poly and one_cycle end; step and plateau go no lower"
    )
    power: float = number(0.1, 10, "", "poly: exponent of the share of steps left")
    drop_factor: float = number(0.01, 0.99, "", "step and plateau: each drop multiplies the rate by this")
    drop_every: float = number(0.01, 1, "share of all steps", "step: from one drop to the next")
    patience: int = whole(
        1, 10_000, "validated epochs", "plateau: validated epochs without a lower val_loss before a drop"
    )


@dataclass(frozen=True, kw_only=True)
class OptimizationSpec:
    """How weights move."""

    losses: list[LossSpec] = described("terms that are added up", validate.Length(min=1, max=8))
    class_weighting: str = choice(
        catalog.CLASS_WEIGHTINGS,
        "for losses that weigh classes; auto favours rare ones of the training images",
    )
    class_weights: list[float] = described(
        "one per class in the set's order where class_weighting is `given`, else empty; of a multilabel task "
        "they multiply the cost of pixels or images that have the class",
        _known_class_weights,
    )
    optimizer: str = choice_or_offer(catalog.OPTIMIZERS, "optimizer of timm's factory")
    learning_rate: float = number(1e-8, 1.0, "", "peak learning rate")
    encoder_lr_factor: float = number(0, 1, "", "learning rate of the encoder as a share of the peak")
    layer_lr_decay: float = number(
        0.01, 1, "", "each layer of the encoder learns at this share of the next one's rate; 1 at the same"
    )
    weight_decay: float = number(0, 1, "", "weight decay; biases and norms have none")
    momentum: float = number(0, 0.9999, "", "of those optimizers that have one")
    schedule: ScheduleSpec
    gradient_clip: float = number(0, 1000, "L2 norm", "gradients are clipped to this norm; 0 does not clip")
    accumulate_batches: int = whole(1, 1024, "batches", "batches whose gradients make one step")
    freeze_encoder_epochs: int = whole(
        0, 100_000, "epochs", "the encoder, batch-norm statistics included, is left as it is for so long"
    )
    ema_decay: float | None = share(
        "keep a moving average of the weights, with this decay per step, and validate, save and export that; "
        "null keeps none"
    )


@dataclass(frozen=True, kw_only=True)
class EarlyStoppingSpec:
    """When a run has learnt all it will."""

    monitor: str = choice_or_offer(
        tasks.monitors, "metric; a loss is to fall, anything else to rise", prefix=VALIDATED
    )
    patience: int = whole(
        0,
        100_000,
        "validated epochs",
        "validated epochs without a better value before the end; 0 never ends early",
    )
    min_delta: float = number(0, 1000, "", "a value must be better by more than this to count")


@dataclass(frozen=True, kw_only=True)
class CheckpointSpec:
    """Which weights are kept. `best` and `last` always are."""

    monitor: str = choice_or_offer(
        tasks.monitors, "metric that makes an epoch the best; losses by the lowest", prefix=VALIDATED
    )
    every_epochs: int = whole(0, 10_000, "epochs", "also keep one of every n epochs; 0 keeps none")
    keep_last: int = whole(0, 10_000, "checkpoints", "of those, keep the newest k; 0 keeps all")


@dataclass(frozen=True, kw_only=True)
class ExportSpec:
    """Which ONNX files a completed run leaves in export/, each one compared with the checkpoint."""

    onnx: bool = described("write model.onnx in fp32")
    half: bool = described("also write model.fp16.onnx: weights and arithmetic in float16")
    int8: bool = described("also write model.int8.onnx, quantised with images of the training split")
    with_preprocessing: bool = described(
        "bake the preprocessing in: `image` (N, H, W, 3) uint8 RGB in, `classes` (N, H, W) uint8 out, or of "
        "classification `probabilities` (N, C) float32"
    )


@dataclass(frozen=True, kw_only=True)
class ComputeSpec:
    """How a worker computes."""

    devices: int | list[int] = whole_or_list(
        1,
        MAX_DEVICES,
        "devices",
        "how many GPUs, or processes where there is no GPU, each with batches of its own; or which of the "
        "worker's GPUs, as a list of their places, counted from 0",
    )
    strategy: str = choice(catalog.STRATEGIES, "how devices work together; auto is ddp for more than one")
    compile: bool = described("compile the network with torch.compile; slow to start, no gain on CPUs")
    deterministic: bool = described("take algorithms that give the same bits again, where there are such")

    @property
    def device_places(self) -> tuple[int, ...]:
        """Which GPUs of a worker's are asked for; empty where any will do."""
        return () if isinstance(self.devices, int) else tuple(self.devices)

    @property
    def device_count(self) -> int:
        """How many devices work together."""
        return self.devices if isinstance(self.devices, int) else len(self.devices)

    @property
    def devices_needed(self) -> int:
        """How many devices a worker must have."""
        return max(self.device_places, default=self.device_count - 1) + 1


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """Everything that decides what a run computes."""

    task: str = choice(
        lambda: tasks.TASKS,
        "what is learnt, which decides what the parts below may name; "
        + "; ".join(f"{task.name}: {task.help}" for task in tasks.TASKS.values()),
    )
    model: ModelSpec
    data: DataSpec
    augmentation: AugmentationSpec
    optimization: OptimizationSpec
    early_stopping: EarlyStoppingSpec
    checkpoints: CheckpointSpec
    export: ExportSpec
    compute: ComputeSpec
    epochs: int = whole(1, 100_000, "epochs", "epochs to train; may be changed while the run trains")
    precision: str = choice(catalog.PRECISIONS, "auto takes bf16 where the device computes it natively")
    seed: int = whole(0, 2**32 - 1, "", "seed of weights, order and augmentation")
    version: int = whole(1, SPEC_VERSION, "", "form of this spec; a request may leave it out")

    def to_dict(self) -> dict[str, Any]:
        """The spec as plain JSON data."""
        return asdict(self)


def with_batches(spec: TrainingSpec, batch_size: int, accumulate_batches: int) -> TrainingSpec:
    """The spec with batches of so many images, and steps of so many batches."""
    return replace(
        spec,
        data=replace(spec.data, batch_size=batch_size),
        optimization=replace(spec.optimization, accumulate_batches=accumulate_batches),
    )
