"""What a spec says of the weights that an encoder begins with, whatever the network around it."""

from pathlib import Path

import segmentation_models_pytorch as smp
from torch import nn

from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.errors import WeightsUnavailable
from trainyard.plugins.offers import is_offered_name
from trainyard.spec.training_spec import ModelSpec
from workers.training.network.encoder_weights import load_encoder, packaged_weights, read_weights
from workers.training.network.normalization import HALF, IMAGENET, ChannelStatistics, Normalization


def fill_encoder(encoder: nn.Module, spec: ModelSpec, weights_file: Path | None) -> None:
    """Fill an encoder with packaged weights or those of a file, where the spec names such.

    Raises WeightsUnavailable for weights that do not fit.
    """
    if spec.encoder_weights == "packaged":
        if spec.encoder != PACKAGED_ENCODER:
            raise WeightsUnavailable(
                f"Packaged weights are those of {PACKAGED_ENCODER}, not of {spec.encoder}.",
                errors={"spec": {"model": {"encoder": [f"with packaged weights: {PACKAGED_ENCODER}"]}}},
            )
        load_encoder(encoder, packaged_weights(), "the packaged weights")
    elif weights_file is not None:
        load_encoder(encoder, read_weights(weights_file), weights_file.name)


def normalization(spec: ModelSpec, data: ChannelStatistics) -> Normalization:
    """The rule that the encoder's weights were made with; the set's own statistics where there are none.

    A weights file, and what a plug-in's architecture comes with, are taken to follow ImageNet's. Nothing is
    asked of the hub but for `imagenet`, whose weights have just come from there.
    """
    if spec.encoder_weights == "none":
        return Normalization(mean=data.mean, std=data.std)
    if spec.encoder_weights == "packaged":
        return HALF
    if spec.encoder_weights == "imagenet" and not is_offered_name(spec.architecture):
        asked = smp.encoders.get_preprocessing_params(spec.encoder, "imagenet")
        return Normalization(mean=tuple(asked["mean"]), std=tuple(asked["std"]))
    return IMAGENET
