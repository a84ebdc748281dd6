"""Says which pictures of an upload found no partner."""

from collections.abc import Sequence

from workers.ingest.archive import Member
from workers.ingest.pairing.guess_pairs import NAME_THEM
from workers.ingest.pairing.names.marks import Couple
from workers.ingest.paths.layout import Picture
from workers.ingest.problems import ProblemLog, shown


def report_outside(others: Sequence[Picture], log: ProblemLog) -> None:
    """Tell of pictures that are neither image nor mask."""
    for picture in others:
        log.warning(
            "file_outside_folders",
            picture.member.path,
            "The picture is taken neither for an image nor for a mask, and is left out.",
            f"Nothing, if it does not belong to the set; else move it into images/ or masks/. {NAME_THEM}",
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


def report_no_pairs(images: Sequence[Picture], masks: int, log: ProblemLog) -> None:
    """Tell that no image has a mask, though `masks` were found."""
    if not log.has_errors:
        log.error(
            "no_pairs",
            None,
            f"No image has a mask: {len(images)} image(s) and {masks} mask(s) were found.",
            "Put images in images/ and masks of the same names in masks/, or end the masks' names in _mask; "
            f"a file of annotations that is not in the upload goes with it as `annotation`. {NAME_THEM}",
        )
    if masks:
        for picture in images:
            log.error(
                "image_without_mask",
                picture.member.path,
                "The image has no mask.",
                "Add a mask of the same name, or take the image out.",
            )


def report_smooth(pairs: Sequence[Couple], log: ProblemLog) -> None:
    """Tell that the masks are no labels."""
    log.error(
        "mask_smooth",
        pairs[0][1].member.path,
        "The masks change smoothly from pixel to pixel, as photographs and maps of depth or probability do: "
        "no pixel has a class.",
        f"Save masks whose values are class ids, or name the masks. {NAME_THEM}",
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
