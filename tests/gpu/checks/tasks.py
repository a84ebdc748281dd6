"""Checks 20 and 21: classification and detection train, are scored, reported and exported on the device."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.gpu.check import Finding, Setting, measured, none_of, not_shown
from tests.gpu.checks.steps import STEPS, WARM, counted_waits
from tests.gpu.engine import EngineRun
from tests.gpu.sets import labelled_set, object_set
from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.tasks.detection import ARCHITECTURES, MASKED

MOST_SYNCS = 1.0
FALL = 0.1
"""By how much of itself the mean loss of training images is to fall."""
EPOCHS = 6


def classification(setting: Setting) -> Iterator[Finding]:
    """Both forms with encoders of each kind, in each precision; ONNX beside the checkpoint; waits."""
    encoders = setting.size(("resnet18", PACKAGED_ENCODER, "tu-vit_tiny_patch16_224"), ("tu-test_resnet",))
    size, images = setting.size((224, 64), (32, 24))
    yield from _learns(
        setting,
        [
            (
                f"{encoder} {form} {precision}",
                labelled_set(setting.folder / form, images, 16, size, several=form == "multilabel"),
                _classified(encoder, form, size),
                precision,
            )
            for encoder in encoders
            for form in ("multiclass", "multilabel")
            for precision in _precisions(setting)
        ],
        "max_difference",
    )
    blended = {"augmentation": {"mixup_alpha": 0.2, "cutmix_alpha": 0.2, "device": "training"}}
    yield from _waits(setting, "blended", {**_classified(encoders[0], "multiclass", size), **blended})


def detection(setting: Setting) -> Iterator[Finding]:
    """Each detector in each precision; ONNX beside the checkpoint; waits, which torchvision makes."""
    encoder = setting.size("resnet18", "tu-test_resnet")
    size, images = setting.size((256, 32), (64, 8))
    found = object_set(setting.folder / "objects", images, 8, size)
    yield from _learns(
        setting,
        [
            (f"{name} {precision}", found, _detected(name, encoder, size), precision)
            for name in ARCHITECTURES
            for precision in _precisions(setting)
        ],
        "matched",
    )
    if not setting.on_gpu:
        yield not_shown("waits of a step", "needs a GPU")
        return
    counts = {
        name: _counted(setting, found, f"waits-{name}", _detected(name, encoder, size))
        for name in ARCHITECTURES
    }
    # Which boxes are kept is asked of numbers, by torchvision: there is no way around them.
    yield measured("waits a step", ", ".join(f"{name} {count:.1f}" for name, count in counts.items()))


def _precisions(setting: Setting) -> tuple[str, ...]:
    return ("32", "bf16-mixed", "16-mixed") if setting.on_gpu else ("32",)


def _classified(encoder: str, form: str, size: int) -> dict[str, Any]:
    loss = "bce" if form == "multilabel" else "cross_entropy"
    return {
        "task": "classification",
        "model": {"encoder": encoder, "task": form},
        "data": {"image_size": size, "batch_size": 4},
        "optimization": {"losses": [{"name": loss, "weight": 1.0, "params": {}}], "learning_rate": 0.003},
    }


def _detected(name: str, encoder: str, size: int) -> dict[str, Any]:
    masked = name in MASKED
    form = "instance_segmentation" if masked else "detection"
    return {
        "task": "detection",
        "model": {"architecture": name, "encoder": encoder, "task": form},
        "data": {"image_size": size, "batch_size": 4},
        "checkpoints": {"monitor": "val_mask_map" if masked else "val_map"},
        "optimization": {"learning_rate": 0.003},
    }


def _learns(
    setting: Setting, runs: list[tuple[str, Path, dict[str, Any], str]], parity: str
) -> Iterator[Finding]:
    """Runs of the engine to their end: report and, of the first precision, an ONNX file that was compared."""
    dull: list[str] = []
    unfinished: list[str] = []
    compared: list[str] = []
    for place, (name, prepared, spec, precision) in enumerate(runs):
        run = EngineRun(setting, f"run-{place}", prepared)
        exports = precision == "32"
        whole = {"epochs": EPOCHS, "precision": precision, "export": {"onnx": exports}, **spec}
        result = run.fit(whole)
        losses = [row["train_loss"] for row in run.rows]
        if not (all(map(math.isfinite, losses)) and losses[-1] < (1 - FALL) * losses[0]):
            dull.append(f"{name}: {losses[0]:.3g} to {losses[-1]:.3g}")
        if result.status != "completed" or (exports and not result.export):
            unfinished.append(f"{name}: {result.status}")
        if result.export:
            compared.append(f"{name.rpartition(' ')[0]} {result.export.get(parity, 'equal')}")
    yield none_of(f"{len(runs)} runs of {EPOCHS} epochs learn", dull)
    yield none_of("they complete, with an ONNX file that was compared with the checkpoint", unfinished)
    yield measured(f"ONNX beside the checkpoint ({parity})", ", ".join(compared))


def _waits(setting: Setting, name: str, spec: dict[str, Any]) -> Iterator[Finding]:
    if not setting.on_gpu:
        yield not_shown("waits of a step", "needs a GPU")
        return
    prepared = labelled_set(setting.folder / "waits", 4 * (WARM + STEPS), 8, 64)
    yield setting.at_most("waits a step", _counted(setting, prepared, f"waits-{name}", spec), MOST_SYNCS)


def _counted(setting: Setting, prepared: Path, name: str, spec: dict[str, Any]) -> float:
    """By CUDA's own account, of the steps of an epoch after the first few."""
    run = EngineRun(setting, name, prepared)
    with counted_waits() as seen:
        run.fit({"epochs": 1, **spec})
    steps = run.rows[-1]["step"] - WARM
    return len(seen) / steps
