"""`augmentation.device: training`: an image is varied as it would be on the CPU, in batches, without waiting.

The device is the CPU here; `make gpu` compares a GPU with it.
"""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.training.test_class_counts import Waits
from trainyard.catalog.device_transforms import MAPS
from trainyard.spec.training_spec import TransformSpec
from workers.prepared.version import IGNORE_INDEX, Uint8
from workers.training.tasks.segmentation.data.augmentation import Augmentation
from workers.training.variation.batches import Changes, varied
from workers.training.variation.drawing import Drawn, Draws

SIDE = 96
SEEDS = range(6)
ON_AVERAGE = 2.0
"""By how much of 255 pixels may differ: one form rounds where the other cuts off, one after the other."""
HUES: dict[str, Any] = {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.5, 1.5], "p": 1}
CASES: list[tuple[str, dict[str, Any], int]] = [
    ("Affine", {"scale": [0.5, 2.0], "rotate": [-30, 30], "shear": [-9, 9], "p": 1}, 1),
    ("Affine", {"translate_px": [-30, 30], "p": 0.5}, 1),
    ("D4", {"p": 1}, 0),
    ("HorizontalFlip", {"p": 0.5}, 0),
    ("Perspective", {"scale": [0.05, 0.2], "p": 1}, 1),
    ("RandomRotate90", {"p": 1}, 0),
    ("Rotate", {"p": 1}, 1),
    ("ShiftScaleRotate", {"p": 1}, 1),
    ("Transpose", {"p": 1}, 0),
    ("VerticalFlip", {"p": 1}, 0),
    ("RandomBrightnessContrast", {"brightness_limit": 0.4, "contrast_limit": 0.4, "p": 0.7}, 1),
    ("ColorJitter", {**HUES, "hue": [0.0, 0.0]}, 4),
    ("ColorJitter", {**HUES, "hue": [-0.1, 0.1]}, 20),  # OpenCV's hues of 8 bits are 180
    ("HueSaturationValue", {"p": 1}, 20),
    ("RandomGamma", {"gamma_limit": [60, 160], "p": 1}, 1),
    ("ToGray", {"p": 0.5}, 1),
    ("GaussianBlur", {"blur_limit": [3, 9], "p": 1}, 1),
    ("GaussianBlur", {"sigma_limit": [0.5, 4.0], "p": 1}, 1),
    ("CoarseDropout", {"num_holes_range": [1, 4], "fill": [10, 20, 30], "p": 1}, 0),
]


def scene(side: int = SIDE) -> tuple[Uint8, Uint8]:
    """A smooth image and a mask of patches of three classes."""
    y, x = np.mgrid[:side, :side] * (SIDE / side)
    image = np.stack([(np.sin(x / 9) + np.cos(y / 13) + 2) * 60, x * 2, 30 + y * 2], axis=-1)
    return image.clip(0, 255).astype(np.uint8), ((x // 16 + y // 16) % 3).astype(np.uint8)


def listed(transforms: list[tuple[str, dict[str, Any]]]) -> list[TransformSpec]:
    return [TransformSpec(name=name, params=params) for name, params in transforms]


def batch_of(drawn: list[Drawn], scenes: list[tuple[Uint8, Uint8]]) -> dict[str, Any]:
    return {
        "image": torch.from_numpy(np.stack([image for image, _ in scenes])),
        "mask": torch.from_numpy(np.stack([mask for _, mask in scenes])),
        "sources": torch.from_numpy(np.stack([one.source for one in drawn])).float(),
        "changes": Changes(drawn),
    }


def on_device(transforms: list[TransformSpec], seeds: Any = SEEDS) -> tuple[Uint8, Uint8]:
    draws, size = Draws(transforms), (SIDE, SIDE)
    made = varied(
        batch_of([draws(size, size, [seed]) for seed in seeds], [scene()] * len(seeds)),
        SIDE,
        {"mask": IGNORE_INDEX},
    )
    return made["image"].numpy(), made["mask"].numpy()


@pytest.mark.parametrize(("name", "params", "most"), CASES, ids=lambda value: str(value)[:40])
def test_each_transform_does_what_it_does_on_the_cpu(name: str, params: dict[str, Any], most: int) -> None:
    """From the same seeds: the draws are the same, and what is made of them."""
    transforms = listed([(name, params)])
    images, masks = on_device(transforms)
    on_cpu = Augmentation(transforms, IGNORE_INDEX)
    changed = 0
    for seed, image, mask in zip(SEEDS, images, masks, strict=True):
        wanted, labels = on_cpu(*scene(), [seed])
        difference = np.abs(wanted.astype(int) - image)
        assert difference.max() <= most
        assert difference.mean() <= min(most, ON_AVERAGE)
        assert (labels != mask).mean() < 0.001
        changed += bool((image != scene()[0]).any())
    assert changed >= 2, "and something is done"


def test_a_whole_list_does_what_it_does_on_the_cpu() -> None:
    """Colours before maps, chances of all kinds: every draw comes in the same order."""
    transforms = listed(
        [
            ("HorizontalFlip", {"p": 0.5}),
            ("RandomBrightnessContrast", {"p": 0.5}),
            ("Affine", {"scale": [0.7, 1.4], "rotate": [-15, 15], "p": 0.8}),
            ("RandomGamma", {"p": 0.5}),
            ("GaussianBlur", {"blur_limit": [3, 5], "p": 0.5}),
            ("CoarseDropout", {"p": 0.5}),
        ]
    )
    images, masks = on_device(transforms, range(20))
    on_cpu = Augmentation(transforms, IGNORE_INDEX)
    for seed in range(20):
        wanted, labels = on_cpu(*scene(), [seed])
        assert np.abs(wanted.astype(int) - images[seed]).mean() < 2
        assert (labels != masks[seed]).mean() < 0.001


def test_noise_has_the_spread_that_is_drawn_and_its_seed() -> None:
    noise = listed([("GaussNoise", {"std_range": [0.1, 0.1], "mean_range": [0.1, 0.1], "p": 1})])
    grey = np.full((SIDE, SIDE, 3), 100, np.uint8)
    draws, size = Draws(noise), (SIDE, SIDE)
    several = [draws(size, size, [seed]) for seed in (1, 1, 2)]
    made = varied(batch_of(several, [(grey, grey[..., 0])] * 3), SIDE)["image"].numpy().astype(float)
    assert abs(made.mean() - 125.5) < 0.5
    assert abs(made.std() - 25.5) < 0.5
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    shared = listed([("GaussNoise", {"per_channel": False, "p": 1})])
    alike = varied(batch_of([Draws(shared)(size, size, [3])], [(grey, grey[..., 0])]), SIDE)["image"]
    assert torch.equal(alike[..., 0], alike[..., 1])


def test_an_image_is_varied_alike_in_every_batch() -> None:
    """Alone, among others, and beside some that nothing is drawn for."""
    transforms = listed(
        [
            ("Affine", {"rotate": [-20, 20], "p": 0.5}),
            ("ColorJitter", {**HUES, "hue": [-0.1, 0.1], "p": 0.5}),
            ("GaussNoise", {"p": 0.5}),
        ]
    )
    together = on_device(transforms, range(8))
    for place in range(8):
        alone = on_device(transforms, [place])
        assert np.abs(together[0][place].astype(int) - alone[0][0]).max() <= 1
        assert np.array_equal(together[1][place], alone[1][0])


def test_what_lies_beyond_the_image_is_told_by_the_mask() -> None:
    away = listed([("Affine", {"translate_px": {"x": [40, 40], "y": [0, 0]}, "scale": [1, 1], "p": 1})])
    images, masks = on_device(away, [0])
    assert (masks[0][:, :40] == IGNORE_INDEX).all()
    assert (images[0][:, :40] == 0).all()
    assert np.array_equal(masks[0][:, 40:], scene()[1][:, :-40])
    assert np.array_equal(images[0][:, 40:], scene()[0][:, :-40])


def test_nothing_waits_for_the_device_nor_is_computed_in_16_bits() -> None:
    """Counted as for losses; and autocast, which surrounds a step, changes no pixel."""
    everything = listed([(name, params) for name, params, _ in CASES] + [("GaussNoise", {"p": 1})])
    first = sorted(everything, key=lambda one: one.name not in MAPS)
    draws, size = Draws(first), (SIDE, SIDE)
    batch = batch_of([draws(size, size, [seed]) for seed in SEEDS], [scene()] * len(SEEDS))
    waits: TorchDispatchMode
    with (waits := Waits()):
        made = varied(batch, SIDE, {"mask": IGNORE_INDEX})
    assert waits.names == []
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = varied(batch, SIDE, {"mask": IGNORE_INDEX})
    assert torch.equal(made["image"], again["image"])
    assert torch.equal(made["mask"], again["mask"])
