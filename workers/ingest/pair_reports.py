"""Says which pictures of an upload found no partner."""

from collections import Counter
from collections.abc import Sequence

from workers.ingest.archive import Member
from workers.ingest.formats.split_names import file_split
from workers.ingest.inference import NAME_THEM
from workers.ingest.layout import Picture
from workers.ingest.marks import Couple
from workers.ingest.problems import ProblemLog, shown


def report_outside(others: Sequence[Picture], rivals: Sequence[Couple], log: ProblemLog) -> None:
    """Tell of pictures that are neither image nor mask; `rivals` are images with those that may be masks."""
    if rivals:
        log.warning(
            "masks_elsewhere",
            rivals[0][1].member.path,
            f"{len(rivals)} pictures such as this one may be masks of the same images, and are left out.",
            f"Nothing, if the masks that were taken are right; else send the set again. {NAME_THEM}",
        )
    elif others:
        log.warning(
            "file_outside_folders",
            others[0].member.path,
            f"{len(others)} picture(s) such as this one are taken neither for images nor for masks, and are "
            "left out.",
            f"Nothing, if they do not belong to the set; else move them into images/ and masks/. {NAME_THEM}",
        )


def report_clash(clash: Sequence[Member], log: ProblemLog) -> None:
    """Tell of files of which it is not known which belong together."""
    paths = [shown(member.path) for member in clash]
    listed = ", ".join(paths[:4]) + (" and more" if len(paths) > 4 else "")
    log.error(
        "duplicate_name",
        paths[0],
        f"It is not clear which image belongs to which mask: {listed}.",
        f"Give each image a name of its own, and its mask the same name. {NAME_THEM}",
    )


def report_images(
    paired: Sequence[Picture], alone: Sequence[Picture], log: ProblemLog, *, masks: int = 0
) -> None:
    """Tell of images without masks, of which `masks` were found: errors where most have none."""
    if not paired and not log.has_errors:
        log.error(
            "no_pairs",
            None,
            f"No image has a mask: {len(alone)} image(s) and {masks} mask(s) were found.",
            "Put images in images/ and masks of the same names in masks/, or end the masks' names in _mask; "
            f"a file of annotations that is not in the upload goes with it as `annotation`. {NAME_THEM}",
        )
        if not masks:
            return  # each image would be named for the same reason
    if paired:
        alone = _without_bare_splits(paired, alone, log)
    report = log.warning if len(alone) <= len(paired) else log.error
    for picture in alone:
        report(
            "image_without_mask",
            picture.member.path,
            "The image has no mask and is left out.",
            "Add a mask of the same name, or take the image out.",
        )


def report_masks(paired: int, alone: Sequence[Picture], log: ProblemLog) -> None:
    """Tell of masks without images: errors where most have none."""
    report = log.warning if len(alone) <= paired else log.error
    for picture in alone:
        report(
            "mask_without_image",
            picture.member.path,
            "The mask has no image and is left out.",
            "Add an image of the same name, or take the mask out.",
        )


def _without_bare_splits(
    paired: Sequence[Picture], alone: Sequence[Picture], log: ProblemLog
) -> list[Picture]:
    """Those images of which others in their split have masks: what is published to be tested on has none."""
    with_masks = {_split(image) for image in paired}
    bare = Counter(split for image in alone if (split := _split(image)) not in with_masks and split)
    for split, count in bare.items():
        log.warning(
            "split_without_masks",
            next(image.member.path for image in alone if _split(image) == split),
            f"None of the {count} image(s) of the split {split} has a mask: they are left out.",
            "Nothing, if they are only to be predicted; else add their masks.",
        )
    return [image for image in alone if _split(image) not in bare]


def _split(image: Picture) -> str | None:
    return image.split or file_split(image.member.path)
