"""The loss of each batch as a number, without making the host wait for a GPU."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainyard.errors import NanLoss
from workers.training.compute.devices import BY_PLACE

_NAMES_SHOWN = 16


@dataclass(frozen=True, kw_only=True)
class _Copy:
    """A loss on its way to the host, there once `arrived`, and which batch it is of."""

    loss: Tensor
    arrived: torch.cuda.Event | None
    names: list[str]
    epoch: int
    step: int


class LossReadback:
    """Looks at the loss of a batch when the next one has its own.

    Asking a GPU for a number waits until all that was queued is computed, and leaves it idle while the next
    step is put together. A copy is queued instead, right behind the loss, and looked at a batch later; at the
    end of an epoch and before anything is saved `settle` waits for it. On a CPU it is there at once.
    """

    def __init__(self) -> None:
        self._copy: _Copy | None = None
        self.value: float | None = None
        """That of the newest batch whose loss is known."""

    def take(self, loss: Tensor, names: list[str], epoch: int, step: int) -> None:
        """Queue a scalar loss, of these images, in that epoch and step counted from 1; looks at the one
        before. Raises NanLoss."""
        self.settle()
        loss, arrived = loss.detach(), None
        if loss.device.type == "cuda":
            host = torch.empty_like(loss, device="cpu", pin_memory=True)
            loss = host.copy_(loss, non_blocking=True)
            arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record()
        self._copy = _Copy(loss=loss, arrived=arrived, names=names, epoch=epoch, step=step)
        if loss.device.type in BY_PLACE and arrived is None:
            self.settle()

    def settle(self) -> None:
        """Wait for the loss that was taken last; raises NanLoss, naming the images, if it is not finite."""
        copy, self._copy = self._copy, None
        if copy is None:
            return
        if copy.arrived is not None:
            copy.arrived.synchronize()
        self.value = copy.loss.item()
        if not math.isfinite(self.value):
            more = f" and {len(copy.names) - _NAMES_SHOWN} more" if len(copy.names) > _NAMES_SHOWN else ""
            raise NanLoss(
                f"The loss became {self.value} in epoch {copy.epoch}, step {copy.step}, on: "
                f"{', '.join(copy.names[:_NAMES_SHOWN])}{more}."
            )
