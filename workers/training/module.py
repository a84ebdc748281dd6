"""What happens in one step of training and validation."""

from typing import Any

import torch
from lightning import LightningModule
from timm.optim import param_groups_weight_decay  # type: ignore[attr-defined]
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer

from trainyard.errors import NanLoss
from trainyard.spec import OptimizationSpec
from workers.training.data import Batch
from workers.training.loss import DiceCrossEntropy
from workers.training.metrics import EpochScores
from workers.training.model import InputRule
from workers.training.schedule import lr_factor

_NAMES_SHOWN = 16


class SegmentationModule(LightningModule):
    """A network with its loss, optimizer and scores.

    `fused` takes PyTorch's fused AdamW, which float16's gradient scaler does not go with.
    """

    _mean: Tensor
    _std: Tensor

    def __init__(
        self, network: nn.Module, rule: InputRule, classes: int, spec: OptimizationSpec, *, fused: bool
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.train_scores = EpochScores(classes)
        self.val_scores = EpochScores(classes)
        self._loss = DiceCrossEntropy()
        self._spec = spec
        self._fused = fused
        self.register_buffer("_mean", torch.tensor(rule.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("_std", torch.tensor(rule.std).view(1, 3, 1, 1) * 255, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (N, C, H, W), of images, (N, H, W, 3) uint8 RGB."""
        # Images lie channels last in memory already, so this permutation copies nothing.
        channels_first = images.permute(0, 3, 1, 2)
        logits: Tensor = self.network((channels_first - self._mean) / self._std)
        return logits

    def on_train_epoch_start(self) -> None:
        self.train_scores.reset()

    def on_validation_epoch_start(self) -> None:
        self.val_scores.reset()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate anew in each step, from the epoch target as it is now."""
        steps = int(self.trainer.num_training_batches)
        total = int(self.trainer.max_epochs or 1) * steps
        factor = lr_factor(self.current_epoch * steps + batch_idx, total, self._spec.warmup_fraction)
        for group in self._optimizer().param_groups:
            group["lr"] = group["peak_lr"] * factor

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return self._step(batch, self.train_scores)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._step(batch, self.val_scores)

    def _step(self, batch: Batch, scores: EpochScores) -> Tensor:
        """The batch's loss, added to `scores`; raises NanLoss naming the images."""
        masks = batch["mask"].long()
        logits = self(batch["image"])
        loss: Tensor = self._loss(logits, masks)
        if not torch.isfinite(loss):
            names = batch["name"]
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            raise NanLoss(
                f"The loss became {loss.item()} in epoch {self.current_epoch + 1}, step "
                f"{self.global_step + 1}, on: {', '.join(names[:_NAMES_SHOWN])}{more}."
            )
        scores.update(logits.detach(), masks, loss)
        return loss

    @property
    def learning_rate(self) -> float:
        """The decoder's present learning rate."""
        return float(self._optimizer().param_groups[-1]["lr"])

    def _optimizer(self) -> Optimizer:
        return self.trainer.optimizers[0]

    def configure_optimizers(self) -> Optimizer:
        """AdamW; biases and norms do not decay, the encoder learns at its own share of the rate."""
        groups: list[dict[str, Any]] = []
        for name, part in self.network.named_children():
            peak = self._spec.learning_rate * (self._spec.encoder_lr_factor if name == "encoder" else 1)
            decaying = param_groups_weight_decay(part, self._spec.weight_decay)
            groups += [{**group, "lr": peak, "peak_lr": peak} for group in decaying]
        return AdamW(groups, lr=self._spec.learning_rate, fused=self._fused)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by the norm of the spec. Lightning's own clipping refuses the fused optimizer."""
        if self._spec.gradient_clip > 0:
            clip_grad_norm_(self.parameters(), self._spec.gradient_clip)
