"""Layouts with several masks for an image, or with pictures for which a reader has to think of the subject."""

import json
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from tests.ingest.layouts import words
from tests.ingest.layouts.distractors import add_clutter
from tests.ingest.layouts.layout import Builder, Draw, Labelled, Layout, MaskCode, draw_code
from tests.ingest.layouts.names import draw_stems
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

_WHITE = ("0/255", "0/255", "0/1")


def _builder(draw: Draw) -> Builder:
    name = draw.pick("values", _WHITE)
    return Builder(draw, MaskCode(name, BINARY_CODES[name]), size=(56, 48))


def _numbers(seen: Scene) -> range:
    return range(1, len(seen.kinds) + 1)


def lesions(draw: Draw) -> Layout:
    """Breast ultrasound: `x_mask.png`, and `x_mask_1.png` for a second lesion; the mask is their union."""
    builder = _builder(draw)
    folders = draw.pick(
        "groups", (("",), ("benign/", "malignant/"), ("benign/", "malignant/", "normal/"), ("scans/",))
    )
    word = draw.pick("mask mark", ("_mask", "_mask", "_seg", "_lesion", "_label"))
    for index, folder in enumerate(folders):
        for number in range(1, draw.random.randint(4, 7)):
            seen = builder.scene(() if folder == "normal/" else [1] * draw.random.randint(1, 3))
            stem = f"{folder}{(folder or 'case').strip('/')} ({number})"
            parts: dict[str, Sequence[int]] = {f"{stem}{word}.png": [1]}
            parts |= {f"{stem}{word}_{one - 1}.png": [one] for one in _numbers(seen)[1:]}
            builder.pair_of_parts(f"{stem}.png", parts, seen, seen.labels)
    if len(folders) > 1:
        _also_by_folder(builder, folders)
    return builder.layout()


def _also_by_folder(builder: Builder, folders: Sequence[str]) -> None:
    """Let the folder of an image name the class of what its mask shows, too."""

    def labelled(path: str, one: Labelled) -> Labelled:
        kind = next(i for i, folder in enumerate(folders, 1) if path.startswith(folder))
        return Labelled(
            labels=np.where(one.labels > 0, kind, 0).astype(np.uint8), masks=one.masks, split=one.split
        )

    builder.also.append({path: labelled(path, one) for path, one in builder.pairs.items()})


def object_files(draw: Draw) -> Layout:
    """Nuclei: a file for each object, in a folder of each image."""
    builder = _builder(draw)
    way = draw.pick("places", ("own folders", "folder of masks", "folder in masks", "numbered"))
    stem_of, _ = draw_stems(draw)
    for number in range(draw.random.randint(6, 9)):
        seen, stem = builder.scene([1] * draw.random.randint(1, 5)), stem_of(number)
        hashed = f"{draw.random.getrandbits(64):016x}"
        image, mask = {
            "own folders": (
                f"stage1_train/{stem}/images/{stem}.png",
                f"stage1_train/{stem}/masks/{hashed}{{}}.png",
            ),
            "folder of masks": (f"{stem}/image.png", f"{stem}/masks/{{}}.png"),
            "folder in masks": (f"images/{stem}.png", f"masks/{stem}/{{}}.png"),
            "numbered": (f"images/{stem}.png", f"masks/{stem}_mask_{{}}.png"),
        }[way]
        parts = {mask.format(one): [one] for one in _numbers(seen)}
        builder.pair_of_parts(image, parts, seen, seen.labels)
    return builder.layout()


def class_files(draw: Draw) -> Layout:
    """A mask for each class, told by its folder or by its name."""
    builder = _builder(draw)
    names = draw.pick("words", words.CLASS_NAMES, name="/".join)
    way = draw.pick(
        "places",
        (
            "folders in masks",
            "folders beside images",
            "suffix in masks",
            "suffix beside",
            "prefix in masks",
            "own folders",
        ),
    )
    stem_of, _ = draw_stems(draw)
    leaves_out_empty = draw.chance(0.4)
    draw.traits["empty masks"] = "left out" if leaves_out_empty else "there"
    for number in range(draw.random.randint(6, 9)):
        stem = stem_of(number)
        kinds = draw.random.sample(range(1, len(names) + 1), len(names) if number < 3 else len(names) - 1)
        seen = builder.scene(kinds)
        image = {"suffix beside": f"data/{stem}.jpg", "own folders": f"{stem}/images/{stem}.png"}.get(
            way, f"images/{stem}.jpg"
        )
        template = {
            "folders in masks": f"masks/{{}}/{stem}.png",
            "folders beside images": f"{{}}/{stem}.png",
            "suffix in masks": f"masks/{stem}_{{}}.png",
            "suffix beside": f"data/{stem}_{{}}.png",
            "prefix in masks": f"masks/{{}}_{stem}.png",
            "own folders": f"{stem}/masks/{{}}.png",
        }[way]
        parts: dict[str, Sequence[int]] = {}
        for kind, name in enumerate(names, 1):
            shown = [one for one, found in zip(_numbers(seen), seen.kinds, strict=True) if found == kind]
            if shown or not leaves_out_empty:
                parts[template.format(name)] = shown
        builder.pair_of_parts(image, parts, seen, seen.labels)
    return builder.layout()


def idrid(draw: Draw) -> Layout:
    """Retinas: numbered folders of lesions below numbered folders of splits, each with its suffix."""
    builder = _builder(draw)
    lesion = (("1. Microaneurysms", "MA"), ("2. Haemorrhages", "HE"), ("3. Hard Exudates", "EX"))
    number = 0
    for folder, split in (("a. Training Set", "train"), ("b. Testing Set", "test")):
        for _ in range(draw.random.randint(3, 5)):
            number += 1
            seen = builder.scene([1, 2, 3] if number % 2 else [1, 3])
            parts = {
                f"A. Segmentation/2. Groundtruths/{folder}/{group}/IDRiD_{number:02}_{mark}.tif": [
                    one for one, kind in zip(_numbers(seen), seen.kinds, strict=True) if kind == index
                ]
                for index, (group, mark) in enumerate(lesion, 1)
                if index in seen.kinds
            }
            builder.pair_of_parts(
                f"A. Segmentation/1. Original Images/{folder}/IDRiD_{number:02}.jpg",
                parts,
                seen,
                seen.labels,
                split,
            )
    return builder.layout()


def lungs(draw: Draw) -> Layout:
    """Left and right lung in two folders of masks."""
    builder = _builder(draw)
    for number in range(1, 9):
        seen, stem = builder.scene([1, 2]), f"MCUCXR_{number:04}_{number % 2}.png"
        parts = {
            f"MontgomerySet/ManualMask/{side}Mask/{stem}": [one]
            for one, side in enumerate(("left", "right"), 1)
        }
        builder.pair_of_parts(f"MontgomerySet/CXR_png/{stem}", parts, seen, seen.labels)
    return builder.layout()


def good_and_bad(draw: Draw) -> Layout:
    """Inspection: images of good parts have no masks and show nothing."""
    builder = _builder(draw)
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
    builder = _builder(draw)
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


def bands(draw: Draw) -> Layout:
    """Satellite patches: a picture for each band, of which any may be read, but each mask once."""
    builder = _builder(draw)
    ending = draw.pick("image ending", ("TIF", "png", "tif"))
    for number in range(8):
        patch = f"patch_{number + 1}_{number % 3 + 1}_by_{number // 3 + 1}_LC08"
        image = f"train_red/red_{patch}.{ending}"
        seen = builder.scene()
        builder.image(image, seen.photo[..., 0])
        builder.mask(f"train_gt/gt_{patch}.{ending}", seen.labels, seen.objects)
        builder.pairs[image] = Labelled(
            labels=seen.labels, masks=(f"train_gt/gt_{patch}.{ending}",), split=None
        )
        for index, band in enumerate(("green", "blue"), 1):
            other = f"train_{band}/{band}_{patch}.{ending}"
            builder.image(other, seen.photo[..., index])
            builder.views[other] = image
    return builder.layout()


def annotators(draw: Draw) -> Layout:
    """CHASE: two people's masks of each image, which differ."""
    builder = _builder(draw)
    second: dict[str, Labelled] = {}
    marks = draw.pick(
        "mask mark", (("_1stHO", "_2ndHO"), ("_expert1", "_expert2"), ("_annotator_A", "_annotator_B"))
    )
    for number in range(1, 9):
        seen, stem = builder.scene([1, 1, 1]), f"Image_{number:02}L"
        paths = [f"{stem}{mark}.png" for mark in marks]
        fewer = seen.part([1, 2])
        builder.pair(f"{stem}.jpg", paths[0], seen=seen)
        builder.mask(paths[1], fewer, fewer)
        second[f"{stem}.jpg"] = Labelled(labels=fewer, masks=(paths[1],), split=None)
    builder.also.append(second)
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


def compressed_masks(draw: Draw) -> Layout:
    """Masks that were saved as JPEG: nearly black and white."""
    builder = _builder(draw)
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


def mixed_modes(draw: Draw) -> Layout:
    """Masks that look alike, some of which have a palette or are grey in RGB."""
    builder = _builder(draw)
    draw.traits["values"] = "0/255 in several modes"
    writers = [BINARY_CODES[name] for name in ("0/255", "white in a palette", "grey in rgb", "one bit")]
    chosen = draw.random.sample(writers, draw.one_of((2, 3)))
    for number in range(8):
        builder.code = MaskCode("mixed", chosen[number % len(chosen)])
        builder.pair(f"images/{number}.png", f"masks/{number}.png")
    return builder.layout()


def with_alpha(draw: Draw) -> Layout:
    """Images with an alpha channel that is all opaque, and masks beside them."""
    builder = _builder(draw)
    suffix = draw.pick("mask mark", ("_mask", "-mask", "_seg"))
    for number in range(draw.random.randint(6, 9)):
        seen = builder.pair(f"shots/{number}.png", f"shots/{number}{suffix}.png")
        opaque = Image.fromarray(seen.photo).convert("RGBA")
        builder.files[f"shots/{number}.png"] = picture(opaque, "png")
    add_clutter(builder)
    return builder.layout()


SCHEMES: tuple[Callable[[Draw], Layout], ...] = (
    lesions, object_files, class_files, class_files, idrid, lungs, good_and_bad, nnunet, retina, bands, annotators,
    exported_folders, devkit, compressed_masks, class_folders, mixed_modes, with_alpha,
)  # fmt: skip


def several(draw: Draw) -> Layout:
    """A layout of one of these schemes."""
    scheme = draw.one_of(SCHEMES)
    draw.traits["scheme"] = scheme.__name__.replace("_", " ")
    return scheme(draw)
