"""Decoder blocks that convolve an enlarged feature map without enlarging it, for training on a CPU.

A block of Unet or Unet++ repeats every pixel of its input in two rows and two columns, sets the skip
connection beside it and convolves both with 3 x 3 taps. Taps that fall on copies of one pixel may be added up
first: what comes out is a transposed convolution of the small map with 4 x 4 taps at stride 2 (the full
convolution of the 3 x 3 taps with 2 x 2 ones), for 16 products where there were 36, plus the skip
connection's own convolution. Same weights under the same names, same values but for rounding.

When not training, and so in what is exported, blocks compute as their library wrote them.
"""

from typing import Any

import torch
import torch.nn.functional as F
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoderBlock
from segmentation_models_pytorch.decoders.unetplusplus.decoder import DecoderBlock as UnetPlusPlusBlock
from torch import Tensor, nn

_ALONG = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
"""Which of three taps (rows) add to each of four, along one axis; a transposed convolution mirrors them."""
_FOLDING = torch.kron(_ALONG, _ALONG)
"""The same for the nine taps and the sixteen."""


def fold_upsampling(network: nn.Module) -> None:
    """Let the network's blocks compute so where they can: those that repeat pixels and have no attention."""
    for block in network.modules():
        folded = _FOLDED.get(type(block))
        if folded is not None and _is_plain(block):
            block.__class__ = folded


def folded_taps(taps: Tensor) -> Tensor:
    """(I, O, 4, 4) taps of the transposed convolution, of (O, I, 3, 3); in the precision of the latter."""
    outputs, inputs = taps.shape[:2]
    with torch.autocast("cpu", enabled=False):  # sums of taps are rounded once, as taps are
        folded = taps.transpose(0, 1).reshape(-1, 9) @ _FOLDING.to(taps)
    return folded.view(inputs, outputs, 4, 4)


class FoldedUnetBlock(UnetDecoderBlock):  # type: ignore[misc] # the library carries no types
    """Unet's block."""

    def forward(
        self,
        feature_map: Tensor,
        target_height: int,
        target_width: int,
        skip_connection: Tensor | None = None,
    ) -> Tensor:
        height, width = feature_map.shape[2:]
        if self.training and (target_height, target_width) == (2 * height, 2 * width):
            return _convolved(self, feature_map, skip_connection)
        whole: Tensor = super().forward(feature_map, target_height, target_width, skip_connection)
        return whole


class FoldedUnetPlusPlusBlock(UnetPlusPlusBlock):  # type: ignore[misc] # the library carries no types
    """Unet++'s block; its skip connection holds several maps."""

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        if self.training:
            return _convolved(self, x, skip)
        whole: Tensor = super().forward(x, skip)
        return whole


_FOLDED: dict[type[nn.Module], type[nn.Module]] = {
    UnetDecoderBlock: FoldedUnetBlock,
    UnetPlusPlusBlock: FoldedUnetPlusPlusBlock,
}


def _is_plain(block: Any) -> bool:
    return (
        block.interpolation_mode == "nearest"
        and block.conv1 is not None
        and isinstance(block.attention1.attention, nn.Identity)
    )


def _convolved(block: Any, small: Tensor, skip: Tensor | None) -> Tensor:
    """The block's output, (N, O, 2H, 2W), of a map (N, I, H, W) and a skip connection (N, S, 2H, 2W)."""
    first, *rest = block.conv1
    inputs = small.shape[1]
    taps = folded_taps(first.weight[:, :inputs])
    large = F.conv_transpose2d(small, taps, first.bias, stride=2, padding=1)
    if skip is not None:
        large = large + F.conv2d(skip, first.weight[:, inputs:], padding=1)
    for layer in rest:
        large = layer(large)
    output: Tensor = block.attention2(block.conv2(large))
    return output
