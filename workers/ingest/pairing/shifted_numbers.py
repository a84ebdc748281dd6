"""Images and masks that are counted from different numbers: equal numbers may not belong together."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from workers.ingest.pairing.marks import Couple
from workers.ingest.paths.layout import Picture
from workers.ingest.paths.role_words import Role
from workers.ingest.paths.words import Words
from workers.ingest.problems import ProblemLog, shown

FEWEST = 3
"""Fewer pictures tell of no counting."""
_LAST_NUMBER = re.compile(r"(\d+)(\D*)\Z")


def report_shifted(couples: Sequence[Couple], alone: Iterable[Picture], log: ProblemLog) -> None:
    """Tell of folders where as many images as masks are left alone because the two are counted from different
    numbers, as `img_1` to `img_9` beside `mask_0` to `mask_8` are.

    Whether the authors meant the number or the place cannot be seen. What is `alone` is an image or a mask as
    its name is made: `a_0_mask` without `a_0` may have been taken for an image.
    """
    named_as_masks = {_frame(mask) for _, mask in couples} - {_frame(image) for image, _ in couples}
    masks_alone: list[Picture] = []
    images_alone: list[Picture] = []
    for picture in alone:
        is_mask = picture.role is Role.MASK or _frame(picture) in named_as_masks
        (masks_alone if is_mask else images_alone).append(picture)
    if not masks_alone or not images_alone:
        return
    all_images = _by_folder([*(image for image, _ in couples), *images_alone])
    all_masks = _by_folder([*(mask for _, mask in couples), *masks_alone])
    for folder in all_images:
        first, other = _counted(all_images[folder]), _counted(all_masks.get(folder, []))
        if first and other and len(first) == len(other) and first.start != other.start:
            path = min(shown(image.member.path) for image in all_images[folder])
            log.error(
                "numbers_shifted",
                path,
                f"Images are counted from {first.start} to {first.stop - 1} and masks from {other.start} to "
                f"{other.stop - 1}: it is not clear whether equal numbers or equal places belong together.",
                "Give each image and its mask the same number; or name the pairs in a pairs.csv with columns "
                "image and mask; or, where equal numbers are right, take out what has no partner.",
            )


def _frame(picture: Picture) -> tuple[str, str] | None:
    """What stands around the last number of a name."""
    end = _LAST_NUMBER.search(picture.stem)
    return (picture.stem[: end.start()], end[2]) if end else None


def _by_folder(pictures: Iterable[Picture]) -> dict[tuple[str | None, tuple[Words, ...]], list[Picture]]:
    """The pictures by their split and the folders that are part of what they are called."""
    found: defaultdict[tuple[str | None, tuple[Words, ...]], list[Picture]] = defaultdict(list)
    for picture in pictures:
        found[picture.split, picture.near].append(picture)
    return found


def _counted(pictures: Sequence[Picture]) -> range | None:
    """The numbers in which the names end, where these are a count without gaps and nothing else differs."""
    ends = [_LAST_NUMBER.search(picture.stem) for picture in pictures]
    numbers = sorted(int(end[1]) for end in ends if end)
    begins = {picture.stem[: end.start()] for picture, end in zip(pictures, ends, strict=True) if end}
    if len(pictures) < FEWEST or len(numbers) < len(pictures) or len(begins) > 1:
        return None
    counted = range(numbers[0], numbers[-1] + 1)
    return counted if list(counted) == numbers else None
