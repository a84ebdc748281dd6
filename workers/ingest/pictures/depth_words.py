"""What is told of images of more than 8 bits."""

from functools import reduce

import numpy as np

from workers.ingest.pictures.depth import ChannelRange, Depth, Scale, joined

_WORDS = {
    "int8": "8 bits with a sign",
    "uint16": "16 bits",
    "int16": "16 bits with a sign",
    "uint32": "32 bits",
    "int32": "32 bits with a sign",
    "float32": "floats",
}
_COLORS = ("red", "green", "blue")


def named(depth: Depth) -> str:
    """The kind of an image, such as "16 bits (grey)"."""
    kind = _WORDS.get(depth.kind, depth.kind)
    return f"{kind} ({'grey' if len(depth.channels) == 1 else 'colours'})"


def told(depth: Depth) -> str:
    """What became of the values of one kind of image."""
    scales, channels = depth.scales, depth.channels
    if len(set(scales)) == 1:
        each = [_range(depth.kind, reduce(joined, channels), scales[0])]
    else:
        each = [
            f"{color} {_range(depth.kind, found, scale)}"
            for color, found, scale in zip(_COLORS, channels, scales, strict=True)
        ]
    blank = f", {depth.blank} pixels without a number became 0" if depth.blank else ""
    return f"{named(depth)}, {', '.join(each)}{blank}"


def _range(kind: str, found: ChannelRange | None, scale: Scale) -> str:
    """What became of a channel, such as "values 0..4080 of 65535: 0..4095 became 0..255"."""
    if found is None:
        return "without any number"
    most = f" of {np.iinfo(kind).max}" if kind.startswith("uint") else ""
    cut = found.lowest < scale.low or found.highest > scale.high
    return (
        f"values {found.lowest:g}..{found.highest:g}{most}: {scale.low:g}..{scale.high:g} became 0..255"
        + (", what lies outside was cut off" if cut else "")
    )
