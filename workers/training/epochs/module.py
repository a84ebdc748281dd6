"""What happens in one step of training and validation."""

from typing import Any

import numpy as np
import torch
import torch.distributed
from lightning import LightningModule
from lightning_utilities.core.apply_func import apply_to_collection
from timm.utils import ModelEmaV3  # type: ignore[attr-defined]
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from trainyard.spec.training_spec import TrainingSpec
from workers.training.compute.loss_readback import LossReadback
from workers.training.data.loaders import Batch
from workers.training.epochs.objective import Objective, Scores
from workers.training.network.normalization import Normalization
from workers.training.network.optimizer import make_optimizer
from workers.training.network.schedule import lr_factor
from workers.training.network.warm_start import NETWORK_PREFIX

LIVE_WEIGHTS = "live_state_dict"
"""The key of a checkpoint under which the weights that training goes on with lie, where averages are used."""


class TrainingModule(LightningModule):
    """A network with its objective, optimizer and, if the spec wants it, averaged weights.

    The network has a part `encoder`, which may be frozen and may learn at a rate of its own. `fused` takes
    PyTorch's fused optimizers, which float16's gradient scaler does not go with. `drops` is how often the
    plateau schedule has dropped the learning rate.
    """

    _mean: Tensor
    _std: Tensor

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        rule: Normalization,
        spec: TrainingSpec,
        *,
        fused: bool,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.objective = objective
        self.losses = LossReadback()
        self.drops = 0
        self._seed = spec.seed
        self._spec = spec.optimization
        self._fused = fused
        encoder = network.get_submodule("encoder")
        self._encoder_weights = [weight for weight in encoder.parameters() if weight.requires_grad]
        self._average = _averaged(self.network, spec.optimization.ema_decay)
        self._averaged_step = 0
        self.register_buffer("_mean", torch.tensor(rule.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("_std", torch.tensor(rule.std).view(1, 3, 1, 1) * 255, persistent=False)
        if spec.compute.compile:
            self.network.compile()

    def forward(self, images: Tensor, truth: Any = None) -> Any:
        """What the network makes of images, (N, H, W, 3) of 0 to 255; by averaged weights in validation."""
        network = self.network if self.training or self._average is None else self._average.module
        # Images lie channels last in memory already, so this permutation copies nothing.
        channels_first = images.permute(0, 3, 1, 2)
        return self.objective.outputs(network, (channels_first - self._mean) / self._std, truth)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """`state_dict` is what is to be used: the averaged weights where there are such. Raises NanLoss."""
        self.losses.settle()
        checkpoint["state_dict"] = _prefixed(self.network.state_dict())
        if self._average is not None:
            checkpoint[LIVE_WEIGHTS] = checkpoint["state_dict"]
            checkpoint["state_dict"] = _prefixed(self._average.module.state_dict())

    def resume_weights(self, checkpoint: dict[str, Any]) -> None:
        """Take the weights of a checkpoint to go on training with."""
        used = _bare(checkpoint["state_dict"])
        self.network.load_state_dict(_bare(checkpoint.get(LIVE_WEIGHTS, checkpoint["state_dict"])))
        if self._average is not None:
            self._average.module.load_state_dict(used)

    def on_train_epoch_start(self) -> None:
        self.objective.train_scores.reset()
        # An epoch that is not validated must not show the scores of another.
        self.objective.val_scores.reset()
        self._averaged_step = self.global_step
        frozen = self.current_epoch < self._spec.freeze_encoder_epochs
        for weight in self._encoder_weights:
            weight.requires_grad_(not frozen)
        if frozen:
            # Evaluation mode: batch norms neither use nor collect the batch's statistics.
            self.network.get_submodule("encoder").eval()
        else:
            self.network.get_submodule("encoder").train()

    def _seed_batch(self, batch_idx: int) -> None:
        """Make what the network draws, dropout above all, depend on the batch and not on what came before."""
        drawn = np.random.SeedSequence([self._seed, self.current_epoch, self.global_rank, batch_idx])
        torch.manual_seed(int(drawn.generate_state(1)[0]))

    def on_validation_epoch_start(self) -> None:
        self.objective.val_scores.reset()
        if self.trainer.world_size > 1:
            # Batch-norm statistics are each rank's own; those of the first are what is saved.
            for statistic in (buffer for buffer in self.buffers() if buffer.numel()):
                torch.distributed.broadcast(statistic, src=0)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rate anew in each step, from the epoch target as it is now."""
        self._seed_batch(batch_idx)
        step = self.current_epoch * self.steps_per_epoch + batch_idx // self._spec.accumulate_batches
        total = int(self.trainer.max_epochs or 1) * self.steps_per_epoch
        factor = lr_factor(self._spec.schedule, step, total, self.drops)
        for group in self._optimizer().param_groups:
            group["lr"] = group["peak_lr"] * factor

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Take a step's weights into the average; batches that only add to gradients are no steps."""
        if batch_idx + 1 == self.trainer.num_training_batches:
            self.losses.settle()
        step = self.trainer.global_step
        if self._average is not None and step > self._averaged_step:
            self._average.update(self.network, step)
            self._averaged_step = step

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one epoch."""
        return -(-int(self.trainer.num_training_batches) // self._spec.accumulate_batches)

    def gather_scores(self) -> None:
        """Make the epoch's scores those of all ranks."""
        strategy = self.trainer.strategy
        if self.trainer.world_size > 1:
            for scores in (self.objective.train_scores, self.objective.val_scores):
                scores.gather(lambda tensor: strategy.reduce(tensor, reduce_op="sum"), self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """What is differentiated; `losses` has the batch's own, for those who look on.

        Lightning divides what is differentiated by `accumulate_batches`, also in an epoch's last step, which
        may have fewer: they are made to weigh as much together as those of any other step.
        """
        loss, _ = self._step(self.objective.varied(batch), self.objective.train_scores)
        whole = self._spec.accumulate_batches
        begun = batch_idx - batch_idx % whole
        present = min(whole, int(self.trainer.num_training_batches) - begun)
        return loss * (whole / present)

    def validation_step(self, batch: Batch, batch_idx: int) -> Any:
        """What the network gave, for those who look on."""
        return self._step(batch, self.objective.val_scores)[1]

    def on_validation_epoch_end(self) -> None:
        self.losses.settle()

    def _step(self, batch: Batch, scores: Scores) -> tuple[Tensor, Any]:
        """The batch's loss, added to `scores`, and what the network gave, detached; raises NanLoss naming the
        images of this batch or the last."""
        truth = self.objective.truth(batch)
        outputs = self(batch["image"], truth)
        loss: Tensor = self.objective(outputs, truth)
        self.losses.take(loss, batch["name"], self.current_epoch + 1, self.global_step + 1)
        given = apply_to_collection(outputs, Tensor, Tensor.detach)
        scores.update(given, truth, loss)
        return loss, given

    @property
    def learning_rate(self) -> float:
        """The decoder's present learning rate."""
        return float(self._optimizer().param_groups[-1]["lr"])

    def _optimizer(self) -> Optimizer:
        return self.trainer.optimizers[0]

    def configure_optimizers(self) -> Optimizer:
        return make_optimizer(self.network, self._spec, fused=self._fused)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by the norm of the spec. Lightning's own clipping refuses the fused optimizer."""
        if self._spec.gradient_clip > 0:
            clip_grad_norm_(self.parameters(), self._spec.gradient_clip)


def _averaged(network: nn.Module, decay: float | None) -> Any:
    """A moving average of the weights and batch-norm statistics, which begins quick and slows to `decay`."""
    if decay is None:
        return None
    average = ModelEmaV3(network, decay=decay, use_warmup=True)
    average.requires_grad_(False)
    return average


def _prefixed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {NETWORK_PREFIX + name: tensor for name, tensor in weights.items()}


def _bare(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(NETWORK_PREFIX): tensor for name, tensor in weights.items()}
