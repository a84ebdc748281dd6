"""Tells masks from images by what is in them, where the names of folders and files say too little."""

from collections.abc import Callable, Sequence
from functools import cache

from workers.ingest.archive import Member
from workers.ingest.layout import Picture
from workers.ingest.look import Look, look_at
from workers.ingest.marks import Couple, Mark, couples, likely_marks
from workers.ingest.problems import ProblemLog, Refused, shown

NAME_THEM = (
    "Name the files by the options `images` and `masks`, patterns such as `*_RGB.tif` or `labels/*.png`; "
    "masks of one class each by `class_masks`."
)
_FEWEST = 2
"""Of one pair alone it cannot be told what is common to pairs."""


class Inference:
    """Finds pairs among pictures by words that their paths differ in, and by their looks."""

    def __init__(self, read: Callable[[Member], bytes]) -> None:
        self._read = read
        self._look = cache(self._look_at)

    def pairs(self, pictures: Sequence[Picture], log: ProblemLog) -> list[Couple]:
        """The pairs, and a warning that tells of them; empty where none are found.

        Raises Refused where several masks fit the images.
        """
        found = self._choices(pictures, None)
        if not found or len(found[0]) < _FEWEST:
            return []
        best, *rest = found
        rivals = [other for other in rest if 2 * len(other) > len(best)]
        if rivals:
            raise _ambiguous([best, *rivals])
        image, mask = best[0]
        log.warning(
            "roles_inferred",
            mask.member.path,
            f"Which pictures are masks was told by what is in them: {len(best)} such as this one, of images "
            f"such as {shown(image.member.path)}.",
            f"Nothing, if that is right. {NAME_THEM}",
        )
        return best

    def pairs_with(self, pictures: Sequence[Picture], masks: Sequence[Picture]) -> list[Couple]:
        """The pairs of known masks with images among the pictures: of the kind that has most."""
        return next(iter(self._choices(pictures, masks)), [])

    def other_masks(self, images: Sequence[Picture], others: Sequence[Picture]) -> list[Couple]:
        """Those of the other pictures that may be masks of most of these images, too."""
        found = self.pairs_with(images, others)
        return found if 2 * len(found) > len(images) else []

    def _choices(self, images: Sequence[Picture], masks: Sequence[Picture] | None) -> list[list[Couple]]:
        """The pairs of each mark whose examples look like images and masks, most first."""
        found = []
        for mark, examples in likely_marks(images, masks).items():
            turned = masks is None and self._fit([(two, one) for one, two in examples])
            if turned or self._fit(examples):
                right: Mark = mark.turned if turned else mark
                found.append(couples(right, images, images if masks is None else masks))
        return sorted(filter(None, found), key=lambda pairs: -len(pairs))

    def _fit(self, examples: Sequence[Couple]) -> bool:
        """Whether most of the pairs look right, of those that can be read."""
        looks = [(self._look(image.member), self._look(mask.member)) for image, mask in examples]
        right = [mask.may_be_mask_of(image) for image, mask in looks if image and mask]
        return 2 * sum(right) > len(right)

    def _look_at(self, member: Member) -> Look | None:
        try:
            return look_at(self._read(member))
        except Refused:
            return None  # it is told with its file when the set is read


def _ambiguous(choices: Sequence[Sequence[Couple]]) -> Refused:
    listed = "; ".join(
        f"{shown(image.member.path)} with {shown(mask.member.path)}" for (image, mask), *_ in choices
    )
    return Refused("masks_ambiguous", f"Several pictures may be the mask of an image: {listed}.", NAME_THEM)
