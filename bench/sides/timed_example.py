"""The published script trained for a given time, and its predictions at the images' own resolution."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import Timer
from torch.utils.data import DataLoader

from bench.data.camvid import image_files
from bench.sides.example import CamVid, Example, augmentation, build_network
from workers.prepared.version import Uint8

BATCH_SIZE = 8
SIZE = 256
HEIGHT, WIDTH = 384, 480
"""What the example pads whole images to."""
MEASURED_BATCHES = 10


class CosineToTheEnd(Callback):
    """Makes the cosine as long as the time allows, found out in the first batches.

    The published script knows its epochs; this one knows its time, and a schedule cut off halfway would
    be unfair to it.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._began = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.global_step == 1:
            self._began = time.monotonic()
        elif trainer.global_step == MEASURED_BATCHES:
            now = time.monotonic()
            per_step = (now - self._began) / (MEASURED_BATCHES - 1)
            schedule: Any = trainer.lr_scheduler_configs[0].scheduler
            schedule.T_max = MEASURED_BATCHES + max(1, round((self._end - now) / per_step))


def train_example(data: Path, seconds: float, seed: int) -> Callable[[Uint8], Uint8]:
    """Train with one thread; returns what maps an image, (H, W, 3) RGB, to its classes, (H, W)."""
    cosine = CosineToTheEnd(seconds)
    torch.set_num_threads(1)
    seed_everything(seed, verbose=False)
    module = Example(build_network(), MEASURED_BATCHES * 100)
    trainer = Trainer(
        max_epochs=-1,
        callbacks=[Timer(timedelta(seconds=seconds)), cosine],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    images = CamVid(image_files(data, "train"), augmentation(SIZE))
    trainer.fit(module, DataLoader(images, batch_size=BATCH_SIZE, shuffle=True, drop_last=True))
    module.eval()
    return lambda image: _predict(module, image)


def _predict(module: Example, image: Uint8) -> Uint8:
    height, width = image.shape[:2]
    padded = cv2.copyMakeBorder(image, 0, HEIGHT - height, 0, WIDTH - width, cv2.BORDER_CONSTANT)
    with torch.inference_mode():
        logits = module(torch.from_numpy(padded.transpose(2, 0, 1))[None])
    return np.asarray(logits[0, :, :height, :width].argmax(dim=0).numpy(), np.uint8)
