"""An encoder's maps, and the pyramids that detectors look at, which are made of them.

An encoder's weights have the names that they have in segmentation, so that one may begin with the other's.
"""

from collections import OrderedDict
from functools import partial
from itertools import pairwise
from typing import Any

import segmentation_models_pytorch as smp
from torch import Tensor, nn
from torchvision.models.detection.ssdlite import _extra_block, _normal_init
from torchvision.ops.feature_pyramid_network import (
    ExtraFPNBlock,
    FeaturePyramidNetwork,
    LastLevelMaxPool,
    LastLevelP6P7,
)

from trainyard.errors import InvalidModel, WeightsUnavailable
from trainyard.spec.training_spec import ModelSpec
from workers.training.compute.full_precision import widened, without_autocast
from workers.training.network.shapes import REFUSALS

LEVELS = 5
"""Maps of an encoder, of strides 2, 4, 8, 16 and 32."""
_WIDE = 512
"""Channels of an encoder's last map from which on its pyramid has as many as torchvision's."""
_EXTRA_CHANNELS = (512, 256, 256, 128)
"""Of the maps that follow an encoder's in SSDlite (Sandler et al., "MobileNetV2", 2018)."""


class Pyramid(nn.Module):
    """Maps of one width: of strides 4 to 64, or from `first` 3 on of strides 8 to 128.

    Lin et al., "Feature Pyramid Networks", 2017. It has 256 channels; 128 over encoders whose last map has
    fewer than 512, which a wider one would cost many times over.
    """

    def __init__(self, encoder: Any, first: int) -> None:
        super().__init__()
        widths = encoder.out_channels[first:]
        self.out_channels = 256 if widths[-1] >= _WIDE else 128
        self._first = first
        extra: ExtraFPNBlock = LastLevelMaxPool()
        if first > 2:
            extra = SmallLevels(self.out_channels, self.out_channels)
        self.levels = FeaturePyramidNetwork(widths, self.out_channels, extra)

    def forward(self, maps: list[Tensor]) -> "OrderedDict[str, Tensor]":
        named = OrderedDict((str(place), one) for place, one in enumerate(maps[self._first :]))
        levels: OrderedDict[str, Tensor] = self.levels(named)
        return levels


class SmallLevels(LastLevelP6P7):  # type: ignore[misc]
    """The levels of strides 64 and 128, in float32: torch 2.14 on a CPU makes the gradient in bfloat16 of a
    convolution with strides on a map of one place from memory that nobody has written, NaN now and then."""

    def forward(self, p: list[Tensor], c: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        with without_autocast(p[-1].device):
            small: tuple[list[Tensor], list[str]] = super().forward(
                [*p[:-1], widened(p[-1])], [*c[:-1], widened(c[-1])], names
            )
        return small


class Chain(nn.Module):
    """Maps of strides 16 and 32 of an encoder, and four smaller ones that follow, for SSDlite."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        own = encoder.out_channels[-2:]
        self.out_channels = [*own, *_EXTRA_CHANNELS]
        norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
        widths = [own[-1], *_EXTRA_CHANNELS]
        self.further = nn.ModuleList(
            [_extra_block(before, after, norm) for before, after in pairwise(widths)]
        )
        _normal_init(self.further)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        chain = list(maps[-2:])
        with without_autocast(chain[-1].device):  # as in SmallLevels
            for block in self.further:
                chain.append(block(widened(chain[-1])))
        return chain


def make_encoder(spec: ModelSpec, *, pretrained: bool) -> Any:
    """The encoder of a spec with its five maps; raises InvalidModel and WeightsUnavailable."""
    try:
        return smp.encoders.get_encoder(
            spec.encoder, depth=LEVELS, weights="imagenet" if pretrained else None
        )
    except OSError as error:
        raise WeightsUnavailable(f"{spec.encoder}'s ImageNet weights cannot be had: {error}") from error
    except REFUSALS as error:
        raise InvalidModel(
            f"No detector can be built with the encoder {spec.encoder}: {error}",
            errors={"spec": {"model": {"encoder": ["another encoder"]}}},
        ) from error
