"""What is told of images of more than 8 bits."""

import numpy as np

from workers.ingest.depth import Depth, Scale

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
    scales = depth.scales
    alike = len(set(scales)) == 1 and len(set(depth.channels)) == 1
    each = [
        ("" if alike or len(scales) == 1 else f"{color} ") + _range(depth, number, scale)
        for number, (color, scale) in enumerate(zip(_COLORS, scales, strict=False))
    ]
    blank = f", {depth.blank} pixels without a number became 0" if depth.blank else ""
    return f"{named(depth)}, {', '.join(each[:1] if alike else each)}{blank}"


def _range(depth: Depth, number: int, scale: Scale) -> str:
    """What became of one channel, such as "0..4080 of 65535: 0..4095 became 0..255"."""
    found = depth.channels[number]
    if found is None:
        return "without any number"
    most = f" of {np.iinfo(depth.kind).max}" if depth.kind.startswith("uint") else ""
    cut = found.lowest < scale.low or found.highest > scale.high
    return (
        f"values {found.lowest:g}..{found.highest:g}{most}: {scale.low:g}..{scale.high:g} became 0..255"
        + (", what lies outside was cut off" if cut else "")
    )
