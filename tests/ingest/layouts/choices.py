"""Layouts that leave something to choose: which of two pictures is the image, or whose mask counts."""

import numpy as np

from tests.ingest.layouts.layout import Draw, Labelled, Layout, white_builder


def bands(draw: Draw) -> Layout:
    """Satellite patches: a picture for each band, of which any may be read, but each mask once."""
    builder = white_builder(draw)
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


def _folders(splits: tuple[tuple[str, str | None], ...]) -> str:
    return "".join(folder for folder, _ in splits)


def two_dates(draw: Draw) -> Layout:
    """Changes between two images, of which either may be read."""
    builder = white_builder(draw)
    first, second, mask_folder = draw.pick(
        "words", (("A", "B", "label"), ("im1", "im2", "gt"), ("before", "after", "mask")), name="/".join
    )
    splits = draw.pick(
        "splits", ((("", None),), (("train/", "train"), ("val/", "val"), ("test/", "test"))), name=_folders
    )
    for folder, split in splits:
        for number in range(8 // len(splits) + 1):
            image = f"{folder}{first}/{folder.strip('/')}_{number}.png"
            seen = builder.pair(image, image.replace(f"{first}/", f"{mask_folder}/"), split)
            other = image.replace(f"{first}/", f"{second}/")
            builder.image(other, np.roll(seen.photo, 1, axis=2))
            builder.views[other] = image
    return builder.layout()


def annotators(draw: Draw) -> Layout:
    """CHASE: two people's masks of each image, which differ."""
    builder = white_builder(draw)
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
