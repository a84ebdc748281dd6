"""The evaluation report of a completed run, on validation and on test where there is one."""

from typing import Any

import torch
from torch import Tensor

from trainyard.storage.files import RunFolder
from workers.prepared.version import PreparedDataset
from workers.training.checkpoints.files import ModelCard
from workers.training.checkpoints.trained_network import TrainedNetwork
from workers.training.compute.devices import PROCESSOR
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, plain_squares
from workers.training.tasks.segmentation.labels.heads import class_logits
from workers.training.tasks.segmentation.report.write import write_report


def report_on_run(
    trained: TrainedNetwork,
    card: ModelCard,
    val: SegmentationDataset,
    prepared: PreparedDataset,
    folder: RunFolder,
    *,
    epoch: int,
    train_images: int,
    device: torch.device = PROCESSOR,
) -> dict[str, Any]:
    """Evaluate the network, which has the weights of `epoch`, on a device; leaves it on the CPU.

    Returns the content of report.json. Raises StorageUnavailable.
    """
    test = [sample for sample in prepared.samples if sample.split == "test"]
    splits = {"val": val, "test": plain_squares(prepared, test, card.spec)}

    def forward(images: Tensor) -> Tensor:
        return class_logits(trained(images))

    with trained.on(device):
        return write_report(
            forward, card, splits, folder, epoch=epoch, train_images=train_images, device=device
        )
