"""Layouts of tools and benchmarks that carry more than images and masks."""

import json

import numpy as np

from tests.ingest.layouts import words
from tests.ingest.layouts.layout import Builder, Draw, Labelled, Layout, MaskCode, draw_code, white_builder
from tests.ingest.layouts.scenes import (
    BINARY_CODES,
    CLASS_CODES,
    IGNORED,
    Scene,
    overlay,
    picture,
    rendering,
    view_field,
)
from tests.ingest.layouts.split_files import add_lists


def good_and_bad(draw: Draw) -> Layout:
    """Inspection: images of good parts have no masks and show nothing."""
    builder = white_builder(draw)
    good = draw.pick("words", ("good", "good", "ok", "normal", "no_defect"))
    top = draw.one_of(("", "bottle/", "data/hazelnut/"))
    for number in range(draw.random.randint(3, 5)):
        builder.alone(f"{top}train/{good}/{number:03}.png", "train", is_background=True)
    for number in range(2):
        builder.alone(f"{top}test/{good}/{number:03}.png", "test", is_background=True)
    suffix = draw.pick("mask mark", ("_mask", "", "_mask"))
    for folder in draw.one_of((("broken", "contamination"), ("scratch", "hole", "bent"))):
        for number in range(draw.random.randint(3, 5)):
            builder.pair(
                f"{top}test/{folder}/{number:03}.png",
                f"{top}ground_truth/{folder}/{number:03}{suffix}.png",
                "test",
            )
    return builder.layout()


def nnunet(draw: Draw) -> Layout:
    """The layout of nnU-Net; with two channels, one of them is the image."""
    builder = Builder(draw, MaskCode("ids", CLASS_CODES["ids"], classes=2), size=(48, 40))
    channels = draw.pick("channels", (1, 1, 2))
    ending = draw.pick("image ending", ("png", "tif"))
    top = draw.one_of(("", "Dataset001_Cells/", "nnUNet_raw/Dataset012_X/"))
    stem = draw.pick("names", ("case_{:03}", "{:03}", "BRATS_{:03}", "img_{}"))
    with_test = draw.chance(0.5)
    for number in range(1, draw.random.randint(8, 11)):
        split, letters = ("test", "Ts") if with_test and number > 6 else ("train", "Tr")
        split_said = split if with_test else None
        base = f"{top}images{letters}/{stem.format(number)}"
        mask = f"{top}labels{letters}/{stem.format(number)}.{ending}"
        seen = builder.pair(f"{base}_0000.{ending}", mask, split_said)
        if channels == 2:
            other = f"{base}_0001.{ending}"
            builder.image(other, 255 - seen.photo)
            builder.views[other] = f"{base}_0000.{ending}"
    named = {
        "labels": {"background": 0, "tumour": 1, "edge": 2},
        "file_ending": f".{ending}",
        "numTraining": 6,
    }
    builder.add(f"{top}dataset.json", json.dumps(named).encode())
    return builder.layout()


def retina(draw: Draw) -> Layout:
    """DRIVE: a mask of the vessels, and one of the field of view that is the same in all."""
    builder = white_builder(draw)
    builder.code = MaskCode("0/255", BINARY_CODES["0/255"])
    ending = draw.pick("mask ending", ("gif", "png"))
    for folder, split, first in (("training", "train", 21), ("test", "test", 1)):
        for number in range(first, first + 5):
            manual = f"DRIVE/{folder}/1st_manual/{number:02}_manual1.{ending}"
            builder.pair(f"DRIVE/{folder}/images/{number:02}_{folder}.tif", manual, split)
            builder.add(
                f"DRIVE/{folder}/mask/{number:02}_{folder}_mask.{ending}",
                picture(view_field(builder.size), ending),
            )
    return builder.layout()


def exported_folders(draw: Draw) -> Layout:
    """What `labelme_json_to_dataset` makes: a folder of each image, with a picture that shows both."""
    builder = Builder(
        draw, MaskCode("palette", CLASS_CODES["palette"], classes=draw.one_of((2, 3))), size=(48, 40)
    )
    draw.traits["values"] = "palette"
    for number in range(draw.random.randint(6, 10)):
        folder = f"labelme/{number}_json"
        seen = builder.pair(f"{folder}/img.png", f"{folder}/label.png")
        builder.add(f"{folder}/label_viz.png", picture(overlay(seen.photo, seen.labels), "png"))
        builder.add(f"{folder}/label_names.txt", b"_background_\none\ntwo\nthree\n")
    return builder.layout()


def devkit(draw: Draw) -> Layout:
    """VOC's folders and lists with a set's own classes and an ignored border, with or without renderings."""
    builder = Builder(draw, MaskCode("palette", CLASS_CODES["palette"], classes=3), size=(48, 40))
    draw.traits["values"] = "palette and 255"
    for number in range(10):
        seen, stem = builder.scene(), f"VOCdevkit/VOC2007/{{}}/2021_{number:06}"
        labels = _with_border(seen)
        image, mask = stem.format("JPEGImages") + ".jpg", stem.format("SegmentationClass") + ".png"
        builder.image(image, seen.photo)
        builder.mask(mask, labels, seen.objects)
        builder.pairs[image] = Labelled(labels=labels, masks=(mask,), split=None)
        if number == 0 and draw.chance(0.3):
            builder.add("VOCdevkit/README.png", picture(rendering(labels), "png"))
    if draw.chance(0.6):
        add_lists(builder)
    return builder.layout()


def _with_border(seen: Scene) -> np.ndarray:
    inside = seen.labels > 0
    grown = inside.copy()
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        grown |= np.roll(inside, step, axis)
    return np.where(grown & ~inside, IGNORED, seen.labels).astype(np.uint8)


def boxes_beside(draw: Draw) -> Layout:
    """Boxes of a detector beside masks of the same images: the masks outline the objects."""
    builder = white_builder(draw)
    way = draw.pick("places", ("xml", "text", "csv"))
    rows = ["filename,xmin,ymin,xmax,ymax"]
    for number in range(draw.random.randint(6, 10)):
        stem = f"{number:04}"
        seen = builder.pair(f"images/{stem}.jpg", f"masks/{stem}.png")
        rows.append(f"{stem}.jpg,3,3,12,14")
        if way == "xml":
            builder.add(
                f"annotations/{stem}.xml",
                _BOX.format(stem=stem, w=seen.photo.shape[1], h=seen.photo.shape[0]).encode(),
            )
        elif way == "text":
            builder.add(f"labels/{stem}.txt", b"0 0.4 0.4 0.2 0.2\n")
    if way == "csv":
        builder.add("boxes.csv", "\n".join(rows).encode())
    return builder.layout()


_BOX = (
    "<annotation><folder>images</folder><filename>{stem}.jpg</filename><size><width>{w}</width><height>{h}</height>"
    "<depth>3</depth></size><segmented>0</segmented><object><name>crack</name><difficult>0</difficult><bndbox>"
    "<xmin>3</xmin><ymin>3</ymin><xmax>12</xmax><ymax>14</ymax></bndbox></object></annotation>"
)


def class_folders(draw: Draw) -> Layout:
    """Folders of classes around images and masks; masks show where the object is, folders may say what."""
    builder = Builder(draw, draw_code(draw, binary_only=True), size=(48, 40))
    folders = draw.pick("groups", words.CLASS_FOLDERS, name="/".join)
    way = draw.pick("places", ("{folder}/{role}/{name}", "{role}/{folder}/{name}"))
    starts_anew = draw.chance(0.5)
    ending = draw.pick("mask ending", builder.code.endings)
    for index, folder in enumerate(folders):
        for number in range(4):
            stem = f"{number if starts_anew else 10 * index + number:03}"
            image = way.format(folder=folder, role="images", name=f"{stem}.jpg")
            builder.pair(image, way.format(folder=folder, role="masks", name=f"{stem}.{ending}"))
    kinds = {path: next(i for i, one in enumerate(folders, 1) if one in path) for path in builder.pairs}
    builder.also.append(
        {
            path: Labelled(labels=(one.labels * kinds[path]).astype(np.uint8), masks=one.masks, split=None)
            for path, one in builder.pairs.items()
        }
    )
    return builder.layout()
