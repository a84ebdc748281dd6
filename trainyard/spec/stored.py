"""Reads specs that are stored: in records, checkpoints and config.json, of this release and those before.

A request is validated (`experiments.py`), a stored spec is trusted: it was valid when it was submitted, and
today's lists and ranges change nothing of a run that exists. What it lacks stands for what its version meant
by that.

A field that is added says in every table below what its absence means, and raises SPEC_VERSION: a release
that does not know it would train something else in silence, and says instead that it cannot read the spec. A
change that gives an absent field another meaning, or a field another name, adds a table of its own.

A spec bears the lowest version that says all of it (`with_lowest_version`): while releases work side by side,
as in a rolling restart, workers of the older one train whatever asks for nothing new, and leave the rest to
others (`claim.lua`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trainyard.catalog.encoder_sources import is_source
from trainyard.decoding import Defaults, decoder
from trainyard.errors import NewerRecord
from trainyard.plugins.spec_offers import asked_of_plugins
from trainyard.spec.training_spec import (
    SPEC_VERSION,
    AugmentationSpec,
    CheckpointSpec,
    ComputeSpec,
    DataSpec,
    EarlyStoppingSpec,
    ExportSpec,
    LossSpec,
    ModelSpec,
    OptimizationSpec,
    ScheduleSpec,
    TrainingSpec,
    TransformSpec,
)

_DICE_AND_CROSS_ENTROPY = [{"name": "dice"}, {"name": "cross_entropy"}]

_MEANT: Defaults = {
    TrainingSpec: {
        "task": "segmentation",
        "model": {},
        "data": {},
        "augmentation": {},
        "optimization": {},
        "early_stopping": {},
        "checkpoints": {},
        "export": {},
        "compute": {},
        "epochs": 20,
        "precision": "auto",
        "seed": 0,
    },
    ModelSpec: {
        "architecture": "Unet",
        "encoder": "resnet18",
        "task": "multiclass",
        "encoder_weights": "none",
    },
    DataSpec: {
        "image_size": 256,
        "fit": "stretch",
        "rare_class_chance": 0.5,
        "crop_min_area": 0.25,
        "class_sampling": "natural",
        "batch_size": 8,
        "loader_workers": 0,
        "val_fraction": None,
        "split_index": None,
        "val_every_epochs": 1,
        "val_max_images": None,
        "eval_topk": [],
    },
    AugmentationSpec: {
        "preset": "custom",
        "transforms": [],
        "mixup_alpha": 0.0,
        "cutmix_alpha": 0.0,
        "min_visibility": 0.1,
        "validation": [],
        "device": "cpu",
    },
    TransformSpec: {"params": {}},
    OptimizationSpec: {
        "losses": _DICE_AND_CROSS_ENTROPY,
        "class_weighting": "none",
        "class_weights": [],
        "optimizer": "adamw",
        "learning_rate": 0.001,
        "encoder_lr_factor": 1.0,
        "layer_lr_decay": 1.0,
        "weight_decay": 0.01,
        "momentum": 0.9,
        "schedule": {},
        "gradient_clip": 1.0,
        "accumulate_batches": 1,
        "freeze_encoder_epochs": 0,
        "ema_decay": None,
    },
    LossSpec: {"weight": 1.0, "params": {}},
    ScheduleSpec: {
        "name": "cosine",
        "warmup_fraction": 0.1,
        "final_factor": 0.01,
        "power": 0.9,
        "drop_factor": 0.1,
        "drop_every": 0.3,
        "patience": 5,
    },
    EarlyStoppingSpec: {"monitor": "val_miou", "patience": 0, "min_delta": 0.0},
    CheckpointSpec: {"monitor": "val_miou", "every_epochs": 0, "keep_last": 0},
    ExportSpec: {"onnx": True, "half": False, "int8": False, "with_preprocessing": False},
    ComputeSpec: {"devices": 1, "strategy": "auto", "compile": False, "deterministic": False},
}

_WITH_AUTO_LOADERS: Defaults = {**_MEANT, DataSpec: {**_MEANT[DataSpec], "loader_workers": "auto"}}

ABSENT: Mapping[int, Defaults] = {
    1: _MEANT,
    2: _MEANT,  # `val_every_epochs` and `val_max_images` came in
    3: _WITH_AUTO_LOADERS,  # before, 0
    4: _WITH_AUTO_LOADERS,  # `task` came in: before, all were segmentation
    5: _WITH_AUTO_LOADERS,  # what classification takes came in: nothing of it was done before
    6: _WITH_AUTO_LOADERS,  # what detection takes, and names of plug-ins, came in: there were none before
    7: _WITH_AUTO_LOADERS,  # `augmentation.device` came in: before, all images were varied on the CPU
}
"""By version: what an absent field of each part stands for. Specs without a version are of the first one."""

_DECODERS: Mapping[int, Callable[[Any], TrainingSpec]] = {
    version: decoder(TrainingSpec, defaults=table) for version, table in ABSENT.items()
}


ADDED: Mapping[int, Mapping[type, tuple[str, ...]]] = {
    2: {DataSpec: ("val_every_epochs", "val_max_images")},
    4: {TrainingSpec: ("task",)},
    5: {
        DataSpec: ("crop_min_area", "class_sampling", "eval_topk"),
        AugmentationSpec: ("mixup_alpha", "cutmix_alpha"),
    },
    6: {AugmentationSpec: ("min_visibility", "validation")},
    7: {AugmentationSpec: ("device",)},
}
"""By version: the fields that came in with it. A spec that has what their absence means does not need it."""
_NAMED: Mapping[int, Callable[[TrainingSpec], bool]] = {
    3: lambda spec: spec.data.loader_workers == "auto",
    5: lambda spec: spec.task == "classification",
    6: lambda spec: (
        spec.task == "detection"
        or any(asked_of_plugins(spec))
        or bool(spec.compute.device_places)
        or is_source(spec.model.encoder)
    ),
}
"""By version: whether a spec has a value of an older field that came in with it."""


def read_spec(data: Any) -> TrainingSpec:
    """The spec of stored JSON data, complete and in the present form.

    Raises Unreadable for data of another form, of it NewerRecord for a spec of a newer Trainyard.
    """
    version = data.get("version", 1) if isinstance(data, dict) else 1
    if type(version) is not int or version not in _DECODERS:
        raise NewerRecord(f"it has version {str(version)[:20]}, and this Trainyard reads 1 to {SPEC_VERSION}")
    found = _DECODERS[version]({**data, "version": SPEC_VERSION} if isinstance(data, dict) else data)
    return with_lowest_version(found)


def with_lowest_version(spec: TrainingSpec) -> TrainingSpec:
    """The spec under the version of the first release that understands all that it asks for."""
    return replace(spec, version=max((v for v in ABSENT if _needs(spec, v)), default=1))


def _needs(spec: TrainingSpec, version: int) -> bool:
    parts = {type(part): part for part in (spec, *vars(spec).values())}
    is_named = _NAMED.get(version)
    return any(
        getattr(parts[kind], name) != _MEANT[kind][name]
        for kind, names in ADDED.get(version, {}).items()
        for name in names
    ) or bool(is_named and is_named(spec))
