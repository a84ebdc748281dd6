"""The script to beat, in the manner of segmentation_models_pytorch's published example for CamVid.

    python -m bench.sides.example DATA --batch-size N --steps N

Written anew after that example: float32, nine augmentations on decoded files, Dice loss, Adam with a cosine,
`get_stats` in every step, Lightning. Two things differ, both in its favour: pixels are divided by 255, and no
progress bar is drawn. Nothing is asked of the hub.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import numpy as np
import segmentation_models_pytorch as smp
import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.dataloader import _BaseDataLoaderIter

from bench.data.camvid import VOID, image_files
from bench.measures.shares import Shares
from bench.measures.turns import Turn, take_turns

CLASSES = 11
IGNORED = 255
LEARNING_RATE = 2e-4
LEAST_RATE = 1e-5
WARM_BATCHES = 2


def augmentation(size: int) -> A.Compose:
    """The example's list, for squares of `size` pixels."""
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.ShiftScaleRotate(scale_limit=0.5, rotate_limit=0, shift_limit=0.1, p=1, border_mode=0),
            A.PadIfNeeded(min_height=size, min_width=size, border_mode=0),
            A.RandomCrop(height=size, width=size),
            A.GaussNoise(p=0.2),
            A.Perspective(p=0.5),
            A.OneOf([A.CLAHE(p=1), A.RandomBrightnessContrast(p=1), A.RandomGamma(p=1)], p=0.9),
            A.OneOf([A.Sharpen(p=1), A.Blur(blur_limit=3, p=1), A.MotionBlur(blur_limit=3, p=1)], p=0.9),
            A.OneOf([A.RandomBrightnessContrast(p=1), A.HueSaturationValue(p=1)], p=0.9),
        ]
    )


class CamVid(Dataset[tuple[Any, Any]]):
    """Decodes an image and its mask, gives each class its number, and varies both."""

    def __init__(self, files: list[tuple[Path, Path]], varied: A.Compose | None) -> None:
        self._files = files
        self._varied = varied
        self._numbers = {value: value for value in range(CLASSES)} | {VOID: IGNORED}

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(3, H, W) uint8 RGB and (H, W) uint8."""
        image_file, mask_file = self._files[index]
        image = cv2.cvtColor(cv2.imread(str(image_file)), cv2.COLOR_BGR2RGB)
        values = cv2.imread(str(mask_file), cv2.IMREAD_UNCHANGED)
        mask = np.full_like(values, IGNORED)
        for value, number in self._numbers.items():
            mask[values == value] = number
        if self._varied is not None:
            sample = self._varied(image=image, mask=mask)
            image, mask = sample["image"], sample["mask"]
        return image.transpose(2, 0, 1), mask


class Example(LightningModule):
    """The example's network, loss, scores and optimizer; `steps` is the cosine's length."""

    def __init__(self, network: nn.Module, steps: int) -> None:
        super().__init__()
        self.network = network
        self._steps = steps
        self._loss = smp.losses.DiceLoss("multiclass", from_logits=True, ignore_index=IGNORED)
        self._stats: list[tuple[Tensor, ...]] = []
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network((images.float() / 255 - self.mean) / self.std)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        images, masks = batch[0], batch[1].long()
        logits = self(images)
        loss: Tensor = self._loss(logits, masks)
        self.count(logits, masks)
        return loss

    def count(self, logits: Tensor, masks: Tensor) -> None:
        """Keep the batch's hits and misses of each image and class."""
        predicted = logits.softmax(dim=1).argmax(dim=1)
        self._stats.append(
            smp.metrics.get_stats(
                predicted, masks, mode="multiclass", num_classes=CLASSES, ignore_index=IGNORED
            )
        )

    def on_train_epoch_end(self) -> None:
        hits, wrong, missed, rest = (torch.cat(parts) for parts in zip(*self._stats, strict=True))
        self._stats.clear()
        iou = smp.metrics.iou_score(hits, wrong, missed, rest, reduction="micro")
        self.log("train_dataset_iou", iou, prog_bar=True)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self._steps, eta_min=LEAST_RATE)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "frequency": 1},
        }


def build_network(encoder: str = "resnet18") -> nn.Module:
    """The example's network, without pretrained weights."""
    network: nn.Module = smp.create_model("Unet", encoder, encoder_weights=None, classes=CLASSES)
    return network


class Clock(Callback):
    """Counts from the end of the first batches to that of the last."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self.turn: Turn = {}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == WARM_BATCHES - 1:
            self._shares.restart()
        self.turn = self._shares.reading(len(batch[0]) * (batch_idx + 1 - WARM_BATCHES))


def main() -> None:
    """Train for a turn whenever told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--size", type=int, default=256)
    asked = parser.parse_args()
    torch.manual_seed(0)
    batches = asked.steps + WARM_BATCHES
    module = Example(build_network(), batches)
    shares = Shares()
    watch(shares, module)
    images = CamVid(image_files(asked.data, "train"), augmentation(asked.size))
    loader = DataLoader(images, batch_size=asked.batch_size, shuffle=True, drop_last=True)

    def turn() -> Turn:
        clock = Clock(shares)
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(
                max_epochs=1,
                limit_train_batches=batches,
                log_every_n_steps=1,
                callbacks=[clock],
                default_root_dir=folder,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            trainer.fit(module, loader)
        return clock.turn

    take_turns(turn)


def watch(shares: Shares, module: Example) -> None:
    """Tell the parts of a step apart."""
    shares.watch(_BaseDataLoaderIter, "__next__", "data")
    shares.watch(module, "forward", "forward")
    shares.watch(smp.losses.DiceLoss, "forward", "loss")
    shares.watch(Tensor, "backward", "backward")
    shares.watch(module, "count", "metrics")
    shares.watch(torch.optim.Adam, "step", "optimizer")


if __name__ == "__main__":
    main()
