"""Layouts whose masks are stored oddly: compressed, small, in several modes, in the alpha channel."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.ingest.layouts import words
from tests.ingest.layouts.distractors import add_clutter
from tests.ingest.layouts.layout import Builder, Draw, Labelled, Layout, MaskCode, white_builder
from tests.ingest.layouts.names import draw_stems
from tests.ingest.layouts.scenes import (
    BINARY_CODES,
    CLASS_CODES,
    COLORS,
    LEVEL_CODES,
    Array,
    picture,
    shown,
)


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


_ODD_IDS: dict[str, Callable[[Array], Array]] = {
    "ids from 2": lambda objects: np.where(objects > 0, objects + 1, 0),
    "ids within 255": lambda objects: np.where(objects > 0, objects, 255),
    "ids from 0 within 255": lambda objects: np.where(objects > 0, objects.astype(int) - 1, 255),
    "ids around 1": lambda objects: objects + 1,
    "ids spread": lambda objects: np.rint(objects * (255 / max(int(objects.max()), 1))),
}


def odd_ids(draw: Draw) -> Layout:
    """Ids of objects that do not begin at 1, or do not lie on 0, or are spread for viewing in each file."""
    name = draw.pick("values", tuple(_ODD_IDS))
    write = _ODD_IDS[name]
    code = MaskCode(name, lambda objects: write(objects).astype(np.uint8), of_objects=True)
    builder = Builder(draw, code, size=(72, 60))
    for number in range(draw.random.randint(6, 10)):
        builder.pair(f"images/{number}.png", f"masks/{number}.png")
    return builder.layout()


def first_classes(draw: Draw) -> Layout:
    """Each file has the classes 1 to k, in one piece each, and k differs."""
    draw.traits["values"] = "the first classes"
    builder = Builder(draw, MaskCode("ids", CLASS_CODES["ids"], classes=6), size=(72, 60))
    for number in range(draw.random.randint(6, 10)):
        shown = range(1, (6, 1, 4, 2, 5, 3)[number % 6] + 1)
        builder.pair(f"images/{number}.png", f"masks/{number}.png", seen=builder.scene(tuple(shown)))
    return builder.layout()


def changed_colors(draw: Draw) -> Layout:
    """Colours, or greys, that each file has changed by a little."""
    kind = draw.pick("values", ("colours that vary", "greys that vary"))
    shades = (
        COLORS[:4]
        if kind.startswith("colours")
        else ((0, 0, 0), (90, 90, 90), (170, 170, 170), (255, 255, 255))
    )
    builder = Builder(draw, MaskCode("ids", CLASS_CODES["ids"], classes=3), size=(48, 40))
    for number in range(draw.random.randint(6, 10)):
        mask = f"masks/{number}.png"
        seen = builder.pair(f"images/{number}.jpg", mask)
        changes = [draw.random.randint(-2, 2) for _ in shades]
        table = np.array(
            [[part + change for part in shade] for shade, change in zip(shades, changes, strict=True)]
        )
        shown_as = table.clip(0, 255).astype(np.uint8)[seen.labels]
        builder.files[mask] = picture(shown_as if kind.startswith("colours") else shown_as[..., 0], "png")
    return builder.layout()


def named_levels(draw: Draw) -> Layout:
    """Levels of 16 bits, or ids, and a file that names them in one of many forms."""
    name, text = draw.pick(
        "names",
        (
            ("classes.yaml", "names: [background, one, two]"),
            ("obj.names", "one\ntwo\n"),
            ("class_dict.csv", "name,r,g,b\nbackground,0,0,0\none,9,9,9\ntwo,99,99,99\n"),
            ("labelmap.txt", "background:0,0,0::\none:1,1,1::\ntwo:2,2,2::\n"),
            ("categories.json", '[{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]'),
        ),
        name=lambda one: str(one[0]),
    )
    step = draw.pick("values", (1, 30000))
    code = MaskCode("levels", lambda labels: labels.astype(np.uint16) * step, classes=2)
    builder = Builder(draw, code)
    for number in range(draw.random.randint(6, 9)):
        builder.pair(f"images/{number}.png", f"masks/{number}.png")
    builder.add(name, text.encode())
    return builder.layout()
