"""Networks of segmentation_models_pytorch by the names of a spec."""

from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
from torch import nn

from trainyard.errors import InvalidModel, WeightsUnavailable
from trainyard.plugins.offers import is_offered_name
from trainyard.spec.training_spec import ModelSpec
from workers.plugins.made import offered_network
from workers.training.network.encoder_weights import require_imagenet
from workers.training.network.pretrained import fill_encoder
from workers.training.network.shapes import REFUSALS


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
    fill_encoder(encoder, spec, weights_file)
    return network


def empty_network(spec: ModelSpec, classes: int) -> Any:
    """A network with random weights; asks nobody for anything. Raises InvalidModel."""
    try:
        return _create(spec, classes, None)
    except REFUSALS as error:
        raise _unbuildable(spec, error) from error


def _with_imagenet(spec: ModelSpec, classes: int) -> nn.Module:
    try:
        network: nn.Module = _create(spec, classes, "imagenet")
    except OSError as error:
        raise WeightsUnavailable(f"{spec.encoder}'s ImageNet weights cannot be fetched: {error}") from error
    except REFUSALS as error:
        raise _unbuildable(spec, error) from error
    return network


def _create(spec: ModelSpec, classes: int, weights: str | None) -> Any:
    outputs = 1 if spec.task == "binary" else classes
    if is_offered_name(spec.architecture):
        return offered_network(spec, outputs, pretrained=weights is not None)
    # A vision transformer takes sizes other than its pretraining's only if told so when it is made.
    options = {"dynamic_img_size": True} if spec.architecture == "DPT" else {}
    return smp.create_model(
        spec.architecture,
        encoder_name=spec.encoder,
        encoder_weights=weights,
        classes=outputs,
        **options,
    )


def _unbuildable(spec: ModelSpec, error: Exception) -> InvalidModel:
    return InvalidModel(
        f"{spec.architecture} cannot be built with the encoder {spec.encoder}: {error}",
        errors={"spec": {"model": {"encoder": [f"another encoder for {spec.architecture}"]}}},
    )
