"""A trained network out of its checkpoint, to be looked at and exported."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from trainyard.decoding import decoder
from trainyard.spec.stored import read_spec
from workers.prepared.version import PreparedClass
from workers.training.checkpoints.files import ABOUT, ModelCard
from workers.training.compute.memory import release_memory
from workers.training.data.input_depth import stored_scales
from workers.training.network.normalization import Normalization
from workers.training.network.warm_start import NETWORK_PREFIX

_class_of = decoder(PreparedClass)
"""A class as a checkpoint lists it."""


def card_of(checkpoint: dict[str, Any]) -> ModelCard:
    """What must be known to use a checkpoint's weights; `checkpoint` is what `read_checkpoint` gives."""
    about = checkpoint[ABOUT]
    return ModelCard(
        run_id=about["run_id"],
        spec=read_spec(about["spec"]),
        classes=[_class_of(info) for info in about["classes"]],
        rule=Normalization(mean=tuple(about["mean"]), std=tuple(about["std"])),
        depth=stored_scales(about.get("depth")),
    )


def with_weights_of(checkpoint: dict[str, Any], network: nn.Module) -> nn.Module:
    """The network with the checkpoint's weights, averaged ones where training used such; in eval mode."""
    network.eval()
    weights = checkpoint["state_dict"].items()
    network.load_state_dict({name.removeprefix(NETWORK_PREFIX): tensor for name, tensor in weights})
    return network


class TrainedNetwork(nn.Module):
    """Gives its outputs, float32, of images, (N, H, W, 3) uint8 RGB, as it did in validation: a tensor, or
    what else the task's networks give."""

    _mean: Tensor
    _std: Tensor

    def __init__(self, network: nn.Module, rule: Normalization) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.register_buffer("_mean", torch.tensor(rule.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("_std", torch.tensor(rule.std).view(1, 3, 1, 1) * 255, persistent=False)
        self.eval()

    @contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """Compute on a device meanwhile; afterwards on the processor, with nothing of the device's memory
        kept: what is left to be done would hold it for nothing."""
        self.to(device)
        try:
            yield
        finally:
            self.cpu()
            release_memory()

    def forward(self, images: Tensor) -> Any:
        return self.network((images.permute(0, 3, 1, 2) - self._mean) / self._std)
