"""Networks by the names of a spec, checked before a run spends any time on them."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import segmentation_models_pytorch as smp
import torch
from torch import nn

from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.errors import InvalidModel, WeightsUnavailable
from trainyard.spec.training_spec import ModelSpec, TrainingSpec
from workers.training.network.encoder_weights import (
    load_encoder,
    packaged_weights,
    read_weights,
    require_imagenet,
)

Triple = tuple[float, float, float]


_REFUSALS = (
    LookupError, ValueError, TypeError, RuntimeError, AttributeError, AssertionError, ArithmeticError,
)  # fmt: skip
"""What the libraries raise for an encoder or a size that they cannot use."""


class ChannelStatistics(Protocol):
    """Mean and standard deviation of RGB in 0 to 1, as a prepared set has them."""

    mean: Triple
    std: Triple


@dataclass(frozen=True, kw_only=True)
class InputRule:
    """A network sees (pixel / 255 - mean) / std of RGB."""

    mean: Triple
    std: Triple


IMAGENET = InputRule(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
HALF = InputRule(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def build_network(spec: ModelSpec, classes: int, weights_file: Path | None) -> nn.Module:
    """A network that gives (N, classes, H, W) logits of (N, 3, H, W), its encoder filled as the spec says.

    For a binary task they are (N, 1, H, W), the second class's against the first's.
    Raises InvalidModel for an encoder that the architecture cannot use, WeightsUnavailable for weights
    that cannot be had or do not fit.
    """
    if spec.encoder_weights == "imagenet":
        require_imagenet(spec.encoder)
        return _with_imagenet(spec, classes)
    network: nn.Module = empty_network(spec, classes)
    encoder = network.get_submodule("encoder")
    if spec.encoder_weights == "packaged":
        if spec.encoder != PACKAGED_ENCODER:
            raise WeightsUnavailable(
                f"Packaged weights are those of {PACKAGED_ENCODER}, not of {spec.encoder}.",
                errors={"spec": {"model": {"encoder": [f"with packaged weights: {PACKAGED_ENCODER}"]}}},
            )
        load_encoder(encoder, packaged_weights(), "the packaged weights")
    elif weights_file is not None:
        load_encoder(encoder, read_weights(weights_file), weights_file.name)
    return network


def empty_network(spec: ModelSpec, classes: int) -> Any:
    """A network with random weights; asks nobody for anything. Raises InvalidModel."""
    try:
        return _create(spec, classes, None)
    except _REFUSALS as error:
        raise _unbuildable(spec, error) from error


def _with_imagenet(spec: ModelSpec, classes: int) -> nn.Module:
    try:
        network: nn.Module = _create(spec, classes, "imagenet")
    except OSError as error:
        raise WeightsUnavailable(f"{spec.encoder}'s ImageNet weights cannot be fetched: {error}") from error
    except _REFUSALS as error:
        raise _unbuildable(spec, error) from error
    return network


def _create(spec: ModelSpec, classes: int, weights: str | None) -> Any:
    # A vision transformer takes sizes other than its pretraining's only if told so when it is made.
    options = {"dynamic_img_size": True} if spec.architecture == "DPT" else {}
    return smp.create_model(
        spec.architecture,
        encoder_name=spec.encoder,
        encoder_weights=weights,
        classes=1 if spec.task == "binary" else classes,
        **options,
    )


def _unbuildable(spec: ModelSpec, error: Exception) -> InvalidModel:
    return InvalidModel(
        f"{spec.architecture} cannot be built with the encoder {spec.encoder}: {error}",
        errors={"spec": {"model": {"encoder": [f"another encoder for {spec.architecture}"]}}},
    )


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
    except _REFUSALS as error:
        if "meta tensor" in str(error):
            return  # a number is asked for, likewise
        raise InvalidModel(
            f"cannot train on batches of {batch} images of {size} x {size}: {error}"
        ) from error


def input_rule(spec: ModelSpec, data: ChannelStatistics) -> InputRule:
    """The rule that the encoder's weights were made with; the set's own statistics where there are none.

    A weights file is taken to follow ImageNet's. Nothing is asked of the hub but for `imagenet`, whose
    weights have just come from there.
    """
    if spec.encoder_weights == "none":
        return InputRule(mean=data.mean, std=data.std)
    if spec.encoder_weights == "packaged":
        return HALF
    if spec.encoder_weights == "imagenet":
        asked = smp.encoders.get_preprocessing_params(spec.encoder, "imagenet")
        return InputRule(mean=tuple(asked["mean"]), std=tuple(asked["std"]))
    return IMAGENET
