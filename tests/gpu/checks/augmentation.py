"""Check 22: images that the device varies are those that the CPU would have made, without any wait."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from tests.gpu.check import Finding, Setting, holds, measured, none_of, not_shown
from tests.gpu.engine import EngineRun, largest_difference
from tests.gpu.sets import draw_samples, prepared_set
from trainyard.spec.training_spec import TransformSpec
from workers.prepared.version import IGNORE_INDEX, Uint8
from workers.training.tasks.segmentation.data.augmentation import Augmentation
from workers.training.variation.batches import Changes, varied
from workers.training.variation.drawing import Drawn, Draws

EACH: tuple[tuple[str, dict[str, Any], float], ...] = (
    ("Affine", {"scale": [0.5, 2.0], "rotate": [-30, 30], "shear": [-10, 10]}, 1),
    ("D4", {}, 0.1),
    ("HorizontalFlip", {}, 0.1),
    ("Perspective", {"scale": [0.02, 0.1]}, 1),
    ("RandomRotate90", {}, 0.1),
    ("Rotate", {}, 1),
    ("Transpose", {}, 0.1),
    ("VerticalFlip", {}, 0.1),
    ("RandomBrightnessContrast", {}, 1),
    ("ColorJitter", {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.5, 1.5]}, 4),
    ("HueSaturationValue", {}, 4),
    ("RandomGamma", {}, 1),
    ("ToGray", {}, 1),
    ("GaussianBlur", {"blur_limit": [3, 7]}, 1),
    ("CoarseDropout", {}, 0.1),
)
"""Transforms, and by how much of 255 an average pixel may differ: hues of 8 bits have steps of 2 degrees."""
STRONG = [
    {"name": "HorizontalFlip", "params": {"p": 0.5}},
    {"name": "Affine", "params": {"scale": [0.5, 2.0], "rotate": [-30, 30], "p": 0.9}},
    {"name": "ColorJitter", "params": {"p": 0.7}},
    {"name": "RandomGamma", "params": {"p": 0.3}},
    {"name": "GaussianBlur", "params": {"blur_limit": [3, 7], "p": 0.15}},
    {"name": "GaussNoise", "params": {"std_range": [0.02, 0.1], "p": 0.2}},
    {"name": "CoarseDropout", "params": {"p": 0.3}},
]
"""What `strong` does, but for compressing pictures."""
SAME_MASKS = 0.999
SAME_LOSS = 1e-3
STEP_MS = 5.0
"""What varying 16 images of 512 px may take: a tenth and more of a step."""


def augmentation(setting: Setting) -> Iterator[Finding]:
    """Each transform by itself, a whole list, its time, and a run."""
    size = setting.size(512, 96)
    apart = [said for name, params, most in EACH for said in _apart(setting, size, name, params, most)]
    yield none_of(f"{len(EACH)} transforms give the CPU's images and masks", apart)
    yield from _noise(setting, size)
    yield from _time(setting, size)
    yield from _runs(setting)


def _apart(setting: Setting, size: int, name: str, params: dict[str, Any], most: float) -> Iterator[str]:
    transforms = [TransformSpec(name=name, params={**params, "p": 1.0})]
    batch, scenes = _batch(transforms, size, 4, setting)
    made = varied(batch, size, {"mask": IGNORE_INDEX})
    on_cpu = Augmentation(transforms, IGNORE_INDEX)
    for place, scene in enumerate(scenes):
        image, mask = on_cpu(*scene, [setting.seed, place])
        difference = np.abs(made["image"][place].cpu().numpy().astype(int) - image).mean()
        agreed = (made["mask"][place].cpu().numpy() == mask).mean()
        if difference > most or agreed < SAME_MASKS:
            yield f"{name}: pixels differ by {difference:.2f} of 255, {agreed:.2%} of the mask is the same"
            return


def _batch(
    transforms: list[TransformSpec], size: int, images: int, setting: Setting
) -> tuple[dict[str, Any], list[tuple[Uint8, Uint8]]]:
    """On the device, with what is drawn for each image."""
    scenes = list(draw_samples(images, size, 3, setting.seed))
    draws, square = Draws(transforms), (size, size)
    drawn: list[Drawn] = [draws(square, square, [setting.seed, place]) for place in range(images)]
    sources = torch.from_numpy(np.stack([one.source for one in drawn])).float()
    tensors = {
        "image": torch.from_numpy(np.stack([image for image, _ in scenes])),
        "mask": torch.from_numpy(np.stack([mask for _, mask in scenes])),
        "sources": sources,
    }
    on_device = {name: tensor.to(setting.device) for name, tensor in tensors.items()}
    return {**on_device, "changes": Changes(drawn)}, scenes


def _noise(setting: Setting, size: int) -> Iterator[Finding]:
    noise = [TransformSpec(name="GaussNoise", params={"std_range": [0.1, 0.1], "p": 1.0})]
    batch, _ = _batch(noise, size, 2, setting)
    batch["image"] = torch.full_like(batch["image"], 128)
    first, again = (varied(batch, size)["image"].float() for _ in range(2))
    yield setting.at_most("spread of noise beside what was drawn", abs(float(first.std()) / 25.5 - 1), 0.02)
    yield holds("noise of a seed is the same again", torch.equal(first, again))
    yield holds("and other than another image's", not torch.equal(first[0], first[1]))


def _time(setting: Setting, size: int) -> Iterator[Finding]:
    images = setting.size(16, 4)
    transforms = [TransformSpec(**one) for one in STRONG]
    batch, _ = _batch(transforms, size, images, setting)
    with _no_waits(setting):
        varied(batch, size, {"mask": IGNORE_INDEX})
    if setting.on_gpu:
        yield holds("the host waits for nothing", True)
    else:
        yield not_shown("whether the host waits", "needs a GPU")
    seconds = []
    for _ in range(setting.size(20, 3)):
        began = time.perf_counter()
        varied(batch, size, {"mask": IGNORE_INDEX})
        if setting.on_gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    took = 1000 * statistics.median(seconds)
    yield setting.at_most(f"milliseconds for {images} images of {size} px", took, STEP_MS, speed=True)


@contextmanager
def _no_waits(setting: Setting) -> Iterator[None]:
    """Any wait is an error of CUDA's own."""
    if not setting.on_gpu:
        yield
        return
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def _runs(setting: Setting) -> Iterator[Finding]:
    """With crops, loaded by this process and by others: the same images, so the same losses."""
    size = setting.size(128, 32)
    prepared = prepared_set(setting.folder / "set", 32, 8, 2 * size, seed=setting.seed)
    runs = []
    for loaders in (0, 2):
        run = EngineRun(setting, f"loaders-{loaders}", prepared)
        data = {"image_size": size, "batch_size": 4, "fit": "crop", "loader_workers": loaders}
        varied_here = {"preset": "custom", "transforms": STRONG, "device": "training"}
        run.fit(
            {
                "epochs": 2,
                "precision": "32",
                "data": data,
                "augmentation": varied_here,
                "compute": {"deterministic": True},
            }
        )
        runs.append(run.rows)
    difference = largest_difference(*runs, "train_loss")
    yield setting.at_most("losses by who loads, of the same images", difference, SAME_LOSS)
    yield measured("images a second", f"{runs[-1][-1]['images_per_second']:.4g}")
