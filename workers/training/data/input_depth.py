"""Images of more than 8 bits as a model was trained to see them."""

from collections.abc import Sequence

from trainyard.decoding import decoder
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pictures.depth import Scale, by_own_range, by_scales, depth_of
from workers.ingest.pictures.depth_words import named, told
from workers.prepared.version import DepthScale, Uint8

_scale_of = decoder(DepthScale)


def stored_scales(stored: Sequence[object] | None) -> tuple[DepthScale, ...] | None:
    """The scales as a checkpoint or ONNX file lists them; those of older releases list none."""
    return None if stored is None else tuple(map(_scale_of, stored))


def seen_as_trained(image: DecodedImage, depth: Sequence[DepthScale] | None) -> tuple[Uint8, str | None]:
    """An image of any depth as 8-bit RGB, (H, W, 3), and what is to be said of it.

    `depth` has the scales of the training set's images of more than 8 bits; it is None where they are not
    known. An image of another kind than these is scaled by its own range: the model may see it brighter or
    darker than what it was trained on.
    """
    if not image.deep:
        kinds = ", ".join(one.kind for one in depth or ())
        notice = f"it has 8 bits, where images of the training set have {kinds}: it is seen as it is"
        return image.pixels, notice if kinds else None
    found = depth_of(image.pixels)
    for one in depth or ():
        if (one.kind, len(one.channels)) == (found.kind, len(found.channels)):
            return by_scales(image.pixels, [Scale(low=low, high=high) for low, high in one.channels]), None
    missing = (
        "the training set's is not known" if depth is None else f"the training set had no {named(found)}"
    )
    return by_own_range(image.pixels), f"scaled to 8 bits by its own range, as {missing}: {told(found)}"
