"""Layouts with several masks for an image: parts, objects or classes."""

from collections.abc import Sequence

import numpy as np

from tests.ingest.layouts import words
from tests.ingest.layouts.layout import Builder, Draw, Labelled, Layout, white_builder
from tests.ingest.layouts.names import draw_stems
from tests.ingest.layouts.scenes import Scene


def lesions(draw: Draw) -> Layout:
    """Breast ultrasound: `x_mask.png`, and `x_mask_1.png` for a second lesion; the mask is their union."""
    builder = white_builder(draw)
    folders = draw.pick(
        "groups",
        (("",), ("benign/", "malignant/"), ("benign/", "malignant/", "normal/"), ("scans/",)),
        name="".join,
    )
    word = draw.pick("mask mark", ("_mask", "_mask", "_seg", "_lesion", "_label"))
    for folder in folders:
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


def _numbers(seen: Scene) -> range:
    return range(1, len(seen.kinds) + 1)


def object_files(draw: Draw) -> Layout:
    """Nuclei: a file for each object, in a folder of each image."""
    builder = white_builder(draw)
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
    builder = white_builder(draw)
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
    builder = white_builder(draw)
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
    builder = white_builder(draw)
    for number in range(1, 9):
        seen, stem = builder.scene([1, 2]), f"MCUCXR_{number:04}_{number % 2}.png"
        parts = {
            f"MontgomerySet/ManualMask/{side}Mask/{stem}": [one]
            for one, side in enumerate(("left", "right"), 1)
        }
        builder.pair_of_parts(f"MontgomerySet/CXR_png/{stem}", parts, seen, seen.labels)
    return builder.layout()
