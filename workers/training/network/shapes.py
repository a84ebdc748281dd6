"""Whether a batch can pass a network at all, found before a run spends any time on it."""

import copy

import torch
from torch import nn

from trainyard.errors import InvalidModel
from trainyard.spec.training_spec import TrainingSpec

REFUSALS = (
    LookupError, ValueError, TypeError, RuntimeError, AttributeError, AssertionError, ArithmeticError,
)  # fmt: skip
"""What the libraries raise for an encoder or a size that they cannot use."""


def passes(network: nn.Module, size: int, batch: int) -> bool:
    """Whether a training batch of so many images of size x size can pass, as `pass_shapes` finds."""
    try:
        pass_shapes(network, size, batch)
    except InvalidModel:
        return False
    return True


def check_shapes(network: nn.Module, spec: TrainingSpec, batch: int) -> None:
    """Raise InvalidModel where a training batch of the spec's size cannot pass the network."""
    size = spec.data.image_size
    try:
        pass_shapes(network, size, batch)
    except InvalidModel as error:
        raise InvalidModel(
            f"{spec.model.architecture} with {spec.model.encoder} {error.message}",
            errors={"spec": {"data": {"image_size": ["another size"], "batch_size": ["another batch size"]}}},
        ) from error


def pass_shapes(network: nn.Module, size: int, batch: int) -> None:
    """Run a training batch of shapes alone (no numbers, so no time); raises InvalidModel if it cannot pass.

    Finds what no table knows: an encoder of fixed size, a feature map pooled away, a batch norm left with
    one value.
    """
    shapes = copy.deepcopy(network).to("meta").train()
    try:
        shapes(torch.empty(batch, 3, size, size, device="meta"))
    except NotImplementedError:
        return  # an operator that has no shape-only form; the sanity check runs it with numbers
    except REFUSALS as error:
        if "meta tensor" in str(error):
            return  # a number is asked for, likewise
        raise InvalidModel(
            f"cannot train on batches of {batch} images of {size} x {size}: {error}"
        ) from error
