"""Networks that classify images: any encoder of smp or timm, and a linear layer on its pooled features.

An encoder's weights have the names that they have in segmentation, so that one may begin with the other's.
"""

from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import timm
from torch import Tensor, nn

from trainyard.catalog.names import TIMM_PREFIX
from trainyard.errors import InvalidModel, WeightsUnavailable
from trainyard.plugins.offers import is_offered_name
from trainyard.spec.training_spec import ModelSpec
from workers.plugins.made import offered_network
from workers.training.network.encoder_weights import packaged_head, require_imagenet
from workers.training.network.pretrained import fill_encoder
from workers.training.network.shapes import REFUSALS

IMAGENET_CLASSES = 1000
"""Of so many classes a packaged encoder keeps its own last layer, which tells ImageNet's, in their order."""
_HEAD_STD = 0.01
"""Spread of the new layer's first weights: small, so that no class is sure before anything is learnt."""


class TimmEncoder(nn.Module):
    """The pooled features, (N, F), of a model of timm's as that model itself makes them for its own head."""

    def __init__(self, name: str, *, pretrained: bool) -> None:
        super().__init__()
        model: Any = _timm_model(name, pretrained=pretrained)
        self.model = model
        self.features: int = getattr(model, "head_hidden_size", None) or model.num_features

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.model(images)
        return features


class Classifier(nn.Module):
    """(N, classes) logits of images, (N, 3, H, W) float32."""

    def __init__(self, encoder: nn.Module, features: int, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(features, classes)
        nn.init.trunc_normal_(self.head.weight, std=_HEAD_STD)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pooled(images))
        return logits

    def pooled(self, images: Tensor) -> Tensor:
        """The features, (N, F), that classes are told by."""
        features: Tensor = self.encoder(images)
        return features


class PooledClassifier(Classifier):
    """Of an encoder of smp's: the mean over its last feature map, of one with a last convolution of its own,
    as EfficientNets have, over what that makes of it."""

    def __init__(self, encoder: Any, classes: int) -> None:
        has_last = hasattr(encoder, "conv_head") and hasattr(encoder, "bn2")
        features = encoder.conv_head.out_channels if has_last else encoder.out_channels[-1]
        super().__init__(encoder, features, classes)
        self._has_last = has_last

    def pooled(self, images: Tensor) -> Tensor:
        encoder: Any = self.encoder
        last: Tensor = encoder(images)[-1]
        if self._has_last:
            last = encoder.bn2(encoder.conv_head(last))
        return last.mean(dim=(2, 3))


def build_classifier(spec: ModelSpec, classes: int, weights_file: Path | None) -> nn.Module:
    """A network for so many classes, its encoder filled as the spec says.

    Raises InvalidModel for an encoder that cannot be built, WeightsUnavailable for weights that cannot be had
    or do not fit.
    """
    if spec.encoder_weights == "imagenet":
        require_imagenet(spec.encoder)
        try:
            return _made(spec, classes, pretrained=True)
        except OSError as error:
            raise WeightsUnavailable(f"{spec.encoder}'s ImageNet weights cannot be had: {error}") from error
    network = empty_classifier(spec, classes)
    encoder = network.get_submodule("encoder")
    fill_encoder(encoder.model if isinstance(encoder, TimmEncoder) else encoder, spec, weights_file)
    if spec.encoder_weights == "packaged" and classes == IMAGENET_CLASSES:
        network.get_submodule("head").load_state_dict(packaged_head())
    return network


def empty_classifier(spec: ModelSpec, classes: int) -> nn.Module:
    """A network with random weights; asks nobody for anything. Raises InvalidModel."""
    return _made(spec, classes, pretrained=False)


def _made(spec: ModelSpec, classes: int, *, pretrained: bool) -> nn.Module:
    try:
        if is_offered_name(spec.architecture):
            return offered_network(spec, classes, pretrained=pretrained)
        if spec.encoder.startswith(TIMM_PREFIX):
            made = TimmEncoder(spec.encoder.removeprefix(TIMM_PREFIX), pretrained=pretrained)
            return Classifier(made, made.features, classes)
        weights = "imagenet" if pretrained else None
        return PooledClassifier(smp.encoders.get_encoder(spec.encoder, weights=weights), classes)
    except REFUSALS as error:
        raise InvalidModel(
            f"No classifier can be built with the encoder {spec.encoder}: {error}",
            errors={"spec": {"model": {"encoder": ["another encoder"]}}},
        ) from error


def _timm_model(name: str, *, pretrained: bool) -> nn.Module:
    """Without a head. A vision transformer takes sizes other than its pretraining's only if told so."""
    options: dict[str, Any] = {"pretrained": pretrained, "num_classes": 0}
    try:
        return timm.create_model(name, **options, dynamic_img_size=True)
    except TypeError:  # of all other models, which have no such option
        return timm.create_model(name, **options)
