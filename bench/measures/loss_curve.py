"""The loss of the engine beside that of the published script: same weights, same batches, same recipe."""

import copy
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer, seed_everything
from torch import Tensor, nn
from torch.utils.data import DataLoader

from bench.data.camvid import image_files
from bench.sides.engine import same_job
from bench.sides.example import (
    CLASSES,
    LEARNING_RATE,
    LEAST_RATE,
    CamVid,
    Example,
    augmentation,
    build_network,
)
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments
from workers.training.compute.runtime import prepare_process, quiet_lightning, resolve_precision
from workers.training.epochs.module import TrainingModule
from workers.training.network.normalization import IMAGENET
from workers.training.tasks.segmentation.objective import SegmentationObjective

BATCH_SIZE = 8
SIZE = 256


class Losses(Callback):
    """Keeps the loss of every step."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.values.append(float(outputs["loss"]))


def largest_difference(data: Path, steps: int, threads: int) -> float:
    """The largest difference of the two losses in any of the first `steps` steps."""
    prepare_process(threads)
    quiet_lightning()
    seed_everything(0, verbose=False)
    batches = _batches(data, steps)
    network = build_network()
    script = _train(Example(copy.deepcopy(network), steps), batches, "32-true")
    engine = _train(_module(network), [_as_engine(batch) for batch in batches], resolve_precision("auto"))
    return max(abs(one - other) for one, other in zip(script, engine, strict=True))


def _batches(data: Path, steps: int) -> list[tuple[Tensor, Tensor]]:
    images = CamVid(image_files(data, "train"), augmentation(SIZE))
    loader = DataLoader(images, batch_size=BATCH_SIZE, shuffle=True, drop_last=True)
    batches: list[tuple[Tensor, Tensor]] = []
    while len(batches) < steps:
        batches.extend(loader)
    return batches[:steps]


def _as_engine(batch: tuple[Tensor, Tensor]) -> dict[str, Any]:
    images, masks = batch
    return {"image": images.permute(0, 2, 3, 1).contiguous(), "mask": masks, "name": [""] * len(masks)}


def _module(network: nn.Module) -> TrainingModule:
    over = same_job(BATCH_SIZE)
    over["optimization"] |= {
        "learning_rate": LEARNING_RATE,
        "schedule": {"name": "cosine", "warmup_fraction": 0, "final_factor": LEAST_RATE / LEARNING_RATE},
    }
    spec = Experiments(REPOSITORY / "configs").compose(over)
    objective = SegmentationObjective(spec, [str(index) for index in range(CLASSES)], None)
    return TrainingModule(network, objective, IMAGENET, spec, fused=True)


def _train(module: LightningModule, batches: list[Any], precision: Any) -> list[float]:
    losses = Losses()
    trainer = Trainer(
        max_epochs=1,
        precision=precision,
        callbacks=[losses],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, DataLoader(batches, batch_size=None))  # type: ignore[arg-type]
    return losses.values
