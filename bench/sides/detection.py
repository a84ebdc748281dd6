"""One side of the comparison of detection, told by its name: the engine, or torchvision's reference loop.

    python -m bench.sides.detection SIDE SET PREPARED --threads N

Both train the same Faster R-CNN over smp's resnet18 from scratch at 256 px with batches of 4, flips, and
changes of brightness and contrast. The reference is in the manner of torchvision's references/detection:
pictures are decoded by Pillow from a COCO file and varied by transforms v2, images resized by the detector's
own transform, SGD, in float32. A turn is an epoch; the engine's is the second of a run.
"""

import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2
from torchvision.models.detection import FasterRCNN
from torchvision.transforms import v2

from bench.measures.turns import Turn
from bench.sides.processes import be_one, engine_turns
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from workers.training.tasks.detection.network.features import LEVELS, Pyramid
from workers.training.tasks.detection.network.two_stage import options_of

SIZE, BATCH, SHIFT = 256, 4, 0.2
ENCODER = "resnet18"
SPEC: dict[str, Any] = {
    "task": "detection",
    "epochs": 2,
    "model": {"architecture": "FasterRCNN", "encoder": ENCODER},
    "data": {"image_size": SIZE, "batch_size": BATCH, "val_max_images": 1, "fit": "letterbox"},
    "augmentation": {
        "transforms": [
            {"name": "HorizontalFlip", "params": {"p": 0.5}},
            {
                "name": "RandomBrightnessContrast",
                "params": {"brightness_limit": SHIFT, "contrast_limit": SHIFT, "p": 1.0},
            },
        ]
    },
    "optimization": {"optimizer": "sgd", "learning_rate": 0.005, "gradient_clip": 0},
    "export": {"onnx": False},
}


def engine(_: Path, prepared: Path, threads: int) -> Callable[[], Turn]:
    """Runs of the engine."""
    return engine_turns(Experiments(CONFIGS).compose(SPEC), prepared, threads)


class Backbone(nn.Module):
    """The encoder with its pyramid, as torchvision's detectors ask for it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = smp.encoders.get_encoder(ENCODER, depth=LEVELS, weights=None)
        self.pyramid = Pyramid(self.encoder, first=2)
        self.out_channels = self.pyramid.out_channels

    def forward(self, images: Tensor) -> "OrderedDict[str, Tensor]":
        return self.pyramid(self.encoder(images))


def reference(pictures: Path, _: Path, threads: int) -> Callable[[], Turn]:
    """The loop that torchvision trains its own detectors with."""
    torch.set_num_threads(threads)
    with redirect_stdout(sys.stderr):  # standard output is for turns, and pycocotools tells what it reads
        found = CocoDetection(str(pictures / "train"), str(pictures / "train" / "_annotations.coco.json"))
    found.ids = [one for one in found.ids if found.coco.getAnnIds(one)]  # as torchvision's own scripts do
    found.transforms = v2.Compose(
        [
            v2.ToImage(),
            v2.RandomHorizontalFlip(0.5),
            v2.ColorJitter(brightness=SHIFT, contrast=SHIFT),
            v2.ToDtype(torch.float32, scale=True),
            v2.SanitizeBoundingBoxes(),
        ]
    )
    data = wrap_dataset_for_transforms_v2(found, target_keys=("boxes", "labels"))
    loader = DataLoader(data, BATCH, shuffle=True, collate_fn=lambda batch: tuple(zip(*batch, strict=True)))
    classes = max(found.coco.getCatIds()) + 1
    backbone = Backbone()
    options = options_of(backbone.pyramid, classes - 1)
    network = FasterRCNN(backbone, min_size=SIZE, max_size=SIZE, **options).train()
    optimizer = torch.optim.SGD(network.parameters(), 0.005, momentum=0.9, weight_decay=1e-4)

    def turn() -> Turn:
        began, images, total = time.monotonic(), 0, 0.0
        for some, targets in loader:
            losses = network(list(some), list(targets))
            loss = sum(losses.values())
            total += loss.item() * len(some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            images += len(some)
        return {"images_per_second": images / (time.monotonic() - began), "loss": total / images}

    return turn


SIDES = {"engine": engine, "reference": reference}


if __name__ == "__main__":
    be_one("detection_sides", __doc__, SIDES)
