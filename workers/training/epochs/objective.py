"""What a task tells the step: what a batch costs, how well it is answered, and what a batch of noise is."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.loaders import Batch

Row = dict[str, float | None]


class Scores(Protocol):
    """Scores of an epoch, added up batch by batch on the batches' own device."""

    def reset(self) -> None:
        """Forget all batches."""
        ...

    def update(self, outputs: Any, truth: Any, loss: Tensor) -> None:
        """Add a batch: what the network gave, detached, the truth, and its scalar mean loss."""
        ...

    def gather(self, add_up: Callable[[Tensor], Tensor], device: torch.device) -> None:
        """Take in the batches of all ranks; `add_up` is the sum of a tensor over them."""
        ...

    def row(self) -> Row:
        """By the name of each metric; `loss` is the first, the mean over images. All are None where there
        was no batch; a name with a `/` is that of one of many classes."""
        ...

    def state(self) -> dict[str, Any]:
        """What `load_state` goes on from, as tensors, numbers and text."""
        ...

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from the batches of a `state`."""
        ...


class Objective(nn.Module):
    """Called with a network's outputs and the truth of a batch it gives the scalar loss, in float32.

    Outputs and truth are what the task makes of them, a tensor or lists and mappings of tensors: the engine
    hands them on.
    """

    train_scores: Scores
    val_scores: Scores

    def outputs(self, network: nn.Module, images: Tensor, truth: Any) -> Any:
        """What the network makes of images, (N, 3, H, W) under their input rule; a network whose loss is of
        what it draws by the truth is told that, too."""
        return network(images)

    def varied(self, batch: Batch) -> Batch:
        """A training batch as it is learnt from. What is drawn for it are torch's numbers, whose seed goes by
        the batch."""
        return batch

    def truth(self, batch: Batch) -> Any:
        """What loss and scores compare with, on the batch's device."""
        raise NotImplementedError

    def picture(self, batch: Batch, outputs: Any, classes: Sequence[PreparedClass]) -> Uint8 | None:
        """Some images of a validation batch with their truth and what the network gave, (H, W, 3) RGB, small
        enough to be made after each epoch; None of a task that draws none."""
        return None

    def noise(self, images: int, size: int) -> Batch:
        """A batch of so many square images, `size` pixels high, that costs what a true one does; on the
        CPU, and always the same."""
        raise NotImplementedError
