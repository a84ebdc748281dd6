"""Layouts whose masks are stored oddly: compressed, small, in several modes, in the alpha channel."""

import numpy as np
from PIL import Image

from tests.ingest.layouts import words
from tests.ingest.layouts.distractors import add_clutter
from tests.ingest.layouts.layout import Builder, Draw, Labelled, Layout, MaskCode, white_builder
from tests.ingest.layouts.names import draw_stems
from tests.ingest.layouts.scenes import BINARY_CODES, LEVEL_CODES, picture, shown


def compressed_masks(draw: Draw) -> Layout:
    """Masks that were saved as JPEG: nearly black and white."""
    builder = white_builder(draw)
    builder.code = MaskCode("white as jpeg", BINARY_CODES["0/255"])
    draw.traits["values"] = "white as jpeg"
    builder.tolerance = 0.12
    ending = draw.pick("image ending", ("jpg", "png"))
    image_folder, mask_folder = draw.pick("words", words.CLEAR_FOLDERS, name="/".join)
    stem_of, _ = draw_stems(draw)
    for number in range(draw.random.randint(6, 10)):
        stem = stem_of(number)
        builder.pair(f"{image_folder}/{stem}.{ending}", f"{mask_folder}/{stem}.jpg")
    return builder.layout()


def mixed_modes(draw: Draw) -> Layout:
    """Masks that look alike, some of which have a palette or are grey in RGB."""
    builder = white_builder(draw)
    draw.traits["values"] = "0/255 in several modes"
    writers = [BINARY_CODES[name] for name in ("0/255", "white in a palette", "grey in rgb", "one bit")]
    chosen = draw.random.sample(writers, draw.one_of((2, 3)))
    for number in range(8):
        builder.code = MaskCode("mixed", chosen[number % len(chosen)])
        builder.pair(f"images/{number}.png", f"masks/{number}.png")
    return builder.layout()


def with_alpha(draw: Draw) -> Layout:
    """Images with an alpha channel that is all opaque, and masks beside them."""
    builder = white_builder(draw)
    suffix = draw.pick("mask mark", ("_mask", "-mask", "_seg"))
    for number in range(draw.random.randint(6, 9)):
        seen = builder.pair(f"shots/{number}.png", f"shots/{number}{suffix}.png")
        opaque = Image.fromarray(seen.photo).convert("RGBA")
        builder.files[f"shots/{number}.png"] = picture(opaque, "png")
    add_clutter(builder)
    return builder.layout()


def stray_values(draw: Draw) -> Layout:
    """Clear grey levels, and a few pixels of other values in a mask or two."""
    builder = Builder(draw, MaskCode("greys", LEVEL_CODES["three greys"], classes=2), size=(48, 40))
    draw.traits["values"] = "three greys and stray ones"
    builder.tolerance = 0.05
    for number in range(10):
        seen, mask = builder.scene(), f"wbc/masks/{number:03}.png"
        builder.pair(f"wbc/images/{number:03}.png", mask, seen=seen)
        if number in (3, 7):
            pixels = shown(builder.files[mask])[..., 0].copy()
            pixels[0, number : number + 3] = (2, 7, 44)
            builder.files[mask] = picture(pixels, "png")
    return builder.layout()


def smaller_masks(draw: Draw) -> Layout:
    """Masks of half the image's size; the nearest pixel is meant."""
    builder = white_builder(draw)
    draw.traits["values"] += ", half the size"
    image_folder, mask_folder = draw.pick("words", words.CLEAR_FOLDERS, name="/".join)
    for number in range(draw.random.randint(6, 10)):
        seen, image, mask = builder.scene(), f"{image_folder}/{number}.jpg", f"{mask_folder}/{number}.png"
        half = seen.labels[1::2, 1::2]
        builder.image(image, seen.photo)
        builder.mask(mask, half, half)
        labels = half.repeat(2, axis=0).repeat(2, axis=1)
        builder.pairs[image] = Labelled(labels=labels, masks=(mask,), split=None)
    return builder.layout()


def in_the_alpha_channel(draw: Draw) -> Layout:
    """Masks that are seen in the alpha channel alone."""
    builder = white_builder(draw)
    draw.traits["values"] = "alpha"
    image_folder, mask_folder = draw.pick("words", words.CLEAR_FOLDERS, name="/".join)
    for number in range(draw.random.randint(6, 10)):
        mask = f"{mask_folder}/{number}.png"
        seen = builder.pair(f"{image_folder}/{number}.jpg", mask)
        pixels = np.dstack([np.zeros_like(seen.photo), (seen.labels > 0).astype(np.uint8) * 255])
        builder.files[mask] = picture(pixels, "png")
    return builder.layout()
