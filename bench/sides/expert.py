"""What an expert writes by hand for this one job: a plain loop with every lever that helps.

    python -m bench.sides.expert PREPARED --batch-size N --steps N

bfloat16 with the loss in float32, channels last, memory kept by the allocator, images decoded once, one
probability picked per pixel for Dice, one count per batch for the scores, a fused optimizer. It reads the
same prepared set and varies it as the preset `light` does. `Loop` also has the form for a GPU (tests/gpu),
where sums over pixels are plain reductions and nothing is read back.
"""

import argparse
import ctypes
from collections.abc import Iterator
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import torch
from torch import Tensor

from bench.measures.shares import Shares
from bench.measures.turns import Turn, take_turns
from bench.sides.example import CLASSES, IGNORED, WARM_BATCHES, build_network
from workers.prepared.version import PreparedDataset

LEARNING_RATE = 1e-3


def keep_memory() -> None:
    """Let freed memory stay in the process: M_MMAP_MAX, M_TRIM_THRESHOLD and M_TOP_PAD of mallopt."""
    libc = ctypes.CDLL(None)
    for option, value in ((-4, 0), (-1, -1), (-2, 64 * 2**20)):
        libc.mallopt(option, value)


def batches(prepared: PreparedDataset, batch_size: int, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Images (N, H, W, 3) uint8 and masks (N, H, W) uint8, shuffled, without end."""
    varied = A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.Affine(
                scale=(0.8, 1.25),
                translate_percent=(-0.1, 0.1),
                rotate=(-10, 10),
                fill_mask=IGNORED,
                p=0.7,
            ),
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=0.5),
        ]
    )
    samples = [sample for sample in prepared.samples if sample.split == "train"]
    numbers = np.random.default_rng(0)
    while True:
        order = numbers.permutation(len(samples))
        for start in range(0, len(order) - batch_size + 1, batch_size):
            images = np.empty((batch_size, size, size, 3), np.uint8)
            masks = np.empty((batch_size, size, size), np.uint8)
            for place, index in enumerate(order[start : start + batch_size]):
                sample = samples[index]
                one = varied(image=prepared.image(sample), mask=prepared.mask(sample))
                cv2.resize(one["image"], (size, size), dst=images[place], interpolation=cv2.INTER_AREA)
                cv2.resize(one["mask"], (size, size), dst=masks[place], interpolation=cv2.INTER_NEAREST)
            yield torch.from_numpy(images), torch.from_numpy(masks)


def dice(logits: Tensor, truth: Tensor) -> Tensor:
    """Dice loss, averaged over the classes, of float32 logits (N, C, H, W) and truth (N, H, W) int64."""
    chances, known = logits.softmax(dim=1), truth != IGNORED
    place = torch.where(known, truth, CLASSES).view(-1)
    right = chances.gather(1, torch.where(known, truth, 0).unsqueeze(1)).view(-1)
    hits = torch.zeros(CLASSES + 1, dtype=torch.float64).index_add(0, place, right.double())[:CLASSES]
    found = known.view(-1).float() @ chances.permute(0, 2, 3, 1).reshape(-1, CLASSES)
    there = torch.bincount(place, minlength=CLASSES + 1)[:CLASSES]
    return ((1 - 2 * hits / (found + there).clamp_min(1e-7)) * (there > 0)).float().mean()


def count(logits: Tensor, truth: Tensor) -> Tensor:
    """Pixels by truth and prediction, (C, C) int64."""
    guess = logits.permute(0, 2, 3, 1).argmax(dim=-1)
    place = torch.where(truth == IGNORED, CLASSES, truth) * CLASSES + guess
    return torch.bincount(place.view(-1), minlength=(CLASSES + 1) * CLASSES)[: CLASSES * CLASSES]


def dice_on_gpu(logits: Tensor, truth: Tensor) -> Tensor:
    """The same as `dice`: each class by itself, since a GPU adds up few places one after the other."""
    chances, known = logits.softmax(dim=1), truth != IGNORED
    terms, present = [], []
    for index in range(CLASSES):
        there = truth == index
        chance = chances[:, index]
        hits, both = (chance * there).sum(), (chance * known).sum() + there.sum()
        terms.append(1 - 2 * hits / both.clamp_min(1e-7))
        present.append(there.any())
    return (torch.stack(terms) * torch.stack(present)).mean()


def count_on_gpu(logits: Tensor, truth: Tensor) -> Tensor:
    """The same as `count`, by as many sums as the matrix has places."""
    guess = logits.permute(0, 2, 3, 1).argmax(dim=-1)
    guesses = [guess == index for index in range(CLASSES)]
    truths = [truth == index for index in range(CLASSES)]
    return torch.stack([(there & claimed).sum() for there in truths for claimed in guesses])


class Loop:
    """The network, its optimizer, and what a step does with them; batches lie on `device`."""

    def __init__(
        self,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        shares: Shares,
        *,
        device: str = "cpu",
        encoder: str = "resnet18",
    ) -> None:
        network = build_network(encoder).to(device, memory_format=torch.channels_last)
        self._network = network.train()
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=LEARNING_RATE, fused=True)
        self._mean = torch.tensor(mean, device=device).view(1, 3, 1, 1) * 255
        self._std = torch.tensor(std, device=device).view(1, 3, 1, 1) * 255
        self._shares = shares
        self._device = device
        self._dice, self._count = (dice, count) if device == "cpu" else (dice_on_gpu, count_on_gpu)
        self.counted = torch.zeros(CLASSES * CLASSES, dtype=torch.int64, device=device)

    def step(self, images: Tensor, masks: Tensor) -> None:
        """One optimizer step."""
        truth = masks.long()
        with self._shares.part("forward"), torch.autocast(self._device, torch.bfloat16):
            logits = self._network((images.permute(0, 3, 1, 2) - self._mean) / self._std)
        with self._shares.part("loss"):
            loss = self._dice(logits.float(), truth)
        with self._shares.part("backward"):
            self._optimizer.zero_grad()
            loss.backward()
        with self._shares.part("optimizer"):
            self._optimizer.step()
        with self._shares.part("metrics"):
            self.counted += self._count(logits.detach(), truth)


def main() -> None:
    """Train for a turn whenever told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--size", type=int, default=256)
    asked = parser.parse_args()
    keep_memory()
    cv2.setNumThreads(0)
    torch.manual_seed(0)
    shares = Shares()
    prepared = PreparedDataset(asked.prepared)
    loop = Loop(prepared.mean, prepared.std, shares)
    source = batches(prepared, asked.batch_size, asked.size)

    def turn() -> Turn:
        for place in range(WARM_BATCHES + asked.steps):
            if place == WARM_BATCHES:
                shares.restart()
            with shares.part("data"):
                images, masks = next(source)
            loop.step(images, masks)
        return shares.reading(asked.steps * asked.batch_size)

    take_turns(turn)


if __name__ == "__main__":
    main()
