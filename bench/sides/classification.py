"""One side of the comparison of classification, told by its name: the engine, a plain loop, an expert's.

    python -m bench.sides.classification SIDE SET PREPARED --threads N

All train timm's resnet18 from scratch at 128 px with batches of 16, AdamW, random parts of at least a quarter
of an image, flips, and changes of brightness and contrast. The plain loop is in the manner of timm's train
script: pictures are decoded by Pillow and varied by torchvision, in float32. The expert's has the prepared
images mapped, channels last, a fused optimizer and, as the engine, bf16 where the processor computes it. A
turn is an epoch; the engine's is the second of a run.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from bench.measures.turns import Turn
from bench.sides.processes import be_one, engine_turns
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import PreparedDataset
from workers.training.compute.devices import PROCESSOR
from workers.training.compute.runtime import prepare_process, resolve_precision
from workers.training.tasks.classification.data.batches import ClassificationData

SIZE, BATCH, CLASSES, SHIFT = 128, 16, 3, 0.2
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
JITTER = {"brightness": [1 - SHIFT, 1 + SHIFT], "contrast": [1 - SHIFT, 1 + SHIFT]}
SPEC: dict[str, Any] = {
    "task": "classification",
    "epochs": 2,
    "model": {"encoder": "tu-resnet18"},
    "data": {"image_size": SIZE, "batch_size": BATCH, "val_max_images": 3},
    "augmentation": {
        "transforms": [
            {"name": "HorizontalFlip", "params": {"p": 0.5}},
            {
                "name": "ColorJitter",
                "params": {**JITTER, "saturation": [1.0, 1.0], "hue": [0.0, 0.0], "p": 1.0},
            },
        ]
    },
    "optimization": {"gradient_clip": 0},
    "export": {"onnx": False},
}


def composed() -> TrainingSpec:
    """The engine's spec."""
    return Experiments(CONFIGS).compose(SPEC)


def engine(_: Path, prepared: Path, threads: int) -> Callable[[], Turn]:
    """Runs of the engine."""
    return engine_turns(composed(), prepared, threads)


def plain(pictures: Path, _: Path, threads: int) -> Callable[[], Turn]:
    """A loop as most write it."""
    torch.set_num_threads(threads)
    varied = transforms.Compose(
        [
            transforms.RandomResizedCrop(SIZE, scale=(0.25, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(brightness=SHIFT, contrast=SHIFT),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    loader = DataLoader(ImageFolder(str(pictures / "train"), varied), BATCH, shuffle=True)
    network = timm.create_model("resnet18", num_classes=CLASSES)
    return _loop(network, lambda: iter(loader), torch.optim.AdamW(network.parameters(), 1e-3), bf16=False)


def expert(_: Path, prepared: Path, threads: int) -> Callable[[], Turn]:
    """A loop of someone who knows the machine."""
    prepare_process(threads)
    data = ClassificationData(PreparedDataset(prepared), composed(), for_gpu=False, cores=threads)
    network = timm.create_model("resnet18", num_classes=CLASSES).to(memory_format=torch.channels_last)
    mean, std = (torch.tensor(one).view(1, 3, 1, 1) * 255 for one in (MEAN, STD))

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for batch in data.train_dataloader():
            images, labels = batch["image"], batch["label"]
            assert isinstance(images, Tensor)
            assert isinstance(labels, Tensor)
            yield (images.permute(0, 3, 1, 2) - mean) / std, labels

    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)
    bf16 = resolve_precision("auto", PROCESSOR) == "bf16-mixed"
    return _loop(network, batches, optimizer, bf16=bf16)


def _loop(
    network: nn.Module,
    batches: Callable[[], Iterator[tuple[Tensor, Tensor]]],
    optimizer: torch.optim.Optimizer,
    *,
    bf16: bool,
) -> Callable[[], Turn]:
    cost = nn.CrossEntropyLoss()

    def turn() -> Turn:
        network.train()
        began, images, total = time.monotonic(), 0, 0.0
        for inputs, labels in batches():
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = cost(network(inputs).float(), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
            images += len(labels)
        return {"images_per_second": images / (time.monotonic() - began), "loss": total / images}

    return turn


SIDES = {"engine": engine, "plain": plain, "expert": expert}


if __name__ == "__main__":
    be_one("classification_sides", __doc__, SIDES)
