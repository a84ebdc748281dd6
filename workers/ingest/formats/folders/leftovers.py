"""Images and masks of a format with folders of its own that found no partner."""

from collections.abc import Iterable, Sequence

from workers.ingest.archive import Member
from workers.ingest.problems import ProblemLog

Couples = Sequence[tuple[Member, Member]]
"""Images with their masks."""


def report_without_mask(images: Iterable[Member], couples: Couples, log: ProblemLog) -> None:
    """Warn of the images that are in no pair."""
    paired = {image.path for image, _ in couples}
    bare = [image.path for image in images if image.path not in paired]
    if bare:
        log.warning(
            "image_without_mask",
            bare[0],
            f"{len(bare)} image(s) have no mask and are left out.",
            "Nothing, if they are those of the test set; else add their masks, or take them out.",
        )


def without_image(masks: Iterable[Member], couples: Couples) -> list[Member]:
    """The masks that are in no pair."""
    paired = {mask.path for _, mask in couples}
    return [mask for mask in masks if mask.path not in paired]
