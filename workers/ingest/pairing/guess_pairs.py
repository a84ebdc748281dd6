"""Tells masks from images by what is in them, where the names of folders and files say too little."""

from collections.abc import Callable, Sequence
from functools import cache

from workers.ingest.archive import Member
from workers.ingest.pairing.matching import derived, open_readings
from workers.ingest.pairing.names.marks import Couple, Mark, couples, likely_marks, plain_marks
from workers.ingest.paths.layout import Picture, by_role, without
from workers.ingest.paths.words import ending_of
from workers.ingest.pictures.appearance import Look, look_at
from workers.ingest.problems import ProblemLog, Refused, shown

NAME_THEM = (
    "Name the files by the options `images` and `masks`, patterns such as `*_RGB.tif` or `labels/*.png`; "
    "masks of one class each by `class_masks`."
)
_FEWEST = 2
"""Of one pair alone it cannot be told what is common to pairs."""
_MOST_ROUNDS = 8
"""Parts of a set whose names differ in another way each."""
_LOOKED_AT = 8
"""Pairs whose looks are compared."""
_SMOOTH_COLORS = 64
"""A picture that is not flat and has more colours than this is a photograph or a map of probabilities."""


class Inference:
    """Finds pairs among pictures by words that their paths differ in, and by their looks."""

    def __init__(self, read: Callable[[Member], bytes]) -> None:
        self.read = read
        self._look = cache(self._look_at)

    def pairs(self, pictures: Sequence[Picture]) -> list[list[Couple]]:
        """The pairs of each reading that fits, see `open_readings`; of a single one with those of all parts
        of the set. Empty where there are none."""
        readings = open_readings(self._choices(pictures, None))
        if not readings or len(readings[0]) < _FEWEST:
            return []
        return readings if len(readings) > 1 else [self._with_other_parts(readings[0], list(pictures))]

    def readings_with(self, pictures: Sequence[Picture], masks: Sequence[Picture]) -> list[list[Couple]]:
        """As `pairs`, of known masks with images among the pictures."""
        return open_readings(self._choices(pictures, masks))

    def considered(self, pictured: list[Picture]) -> list[Picture]:
        """The pictures without those that were made of others, if these are a set by themselves."""
        plain = [picture for picture in pictured if not picture.is_derived]
        if len(plain) == len(pictured) or by_role(plain)[1] or self.pairs(plain):
            return plain
        return pictured

    def other_masks(self, images: Sequence[Picture], others: Sequence[Picture]) -> list[Couple]:
        """Those of the other pictures that may be masks of most of these images, too."""
        found = next(iter(self.readings_with(images, others)), [])
        return found if 2 * len(found) > len(images) else []

    def drawn_among(self, alone: Sequence[Picture], images: Sequence[Picture]) -> list[Picture]:
        """Those of the pictures beside the images that may be masks of most of them, by names and looks: as
        `0_manual.png` beside `0_training.png` and `0_training_mask.png`, which is a field of view."""
        folders = {image.member.path.rpartition("/")[0] for image in images}
        alone = [one for one in alone if one.member.path.rpartition("/")[0] in folders]
        if not images or 2 * len(alone) <= len(images):
            return []
        looks = [self._look(one.member) for one in alone[:: max(1, len(alone) // _LOOKED_AT)]]
        drawn = [look for look in looks if look is not None and look.is_telling and look.is_labels]
        if 2 * len(drawn) <= len(looks):
            return []
        return [mask for _, mask in self.other_masks(images, alone)]

    def passes_over(self, masks: Sequence[Picture], readings: Sequence[Sequence[Couple]]) -> bool:
        """Whether most of what names call masks are in no reading, and look like labels: then looks do not
        tell which pictures are masks."""
        taken = {id(picture) for pairs in readings for couple in pairs for picture in couple}
        left = [one for one in masks if id(one) not in taken]
        looks = [self._look(one.member) for one in left[:: max(1, len(left) // _LOOKED_AT)]]
        known = [look for look in looks if look is not None]
        return 2 * len(left) > len(masks) and 2 * sum(look.is_labels for look in known) > len(known)

    def further_masks(
        self, images: Sequence[Picture], alone: Sequence[Picture], others: Sequence[Picture]
    ) -> list[Couple]:
        """Those of the other pictures that may be masks of some of the images, or of those that are alone."""
        if len(others) < _FEWEST:
            return []
        return next(iter(self.readings_with([*images, *alone], others)), [])

    def are_turned(self, pairs: Sequence[Couple]) -> bool:
        """Whether what was taken for masks looks like photographs, and for images like labels."""
        if self._are_labels(pairs):
            return False
        looks = self._looks(pairs)
        turned = [
            image.may_be_mask_of(mask) and not mask.may_be_mask_of(image) and not mask.is_labels
            for image, mask in looks
        ]
        return bool(looks) and 2 * sum(turned) > len(looks)

    def are_smooth(self, pairs: Sequence[Couple]) -> bool:
        """Whether most masks change smoothly from pixel to pixel, as no labels do."""
        if self._are_labels(pairs):
            return False
        looks = self._looks(pairs)
        smooth = [mask.is_grey and not mask.is_labels and mask.colors > _SMOOTH_COLORS for _, mask in looks]
        return bool(looks) and 2 * sum(smooth) > len(looks)

    def images_like(self, pairs: Sequence[Couple], left: Sequence[Picture]) -> list[Picture]:
        """Those of the pictures left that are images without masks: files of the same kind as the images, not
        made of these, that are no labels as far as a few of them show."""
        images = [image for image, _ in pairs]
        endings = {_ending(image) for image in images}
        made = {id(one) for one in derived(left, images)}
        alike = [one for one in left if _ending(one) in endings and id(one) not in made]
        looks = [self._look(one.member) for one in alike[:: max(1, len(alike) // _LOOKED_AT)]]
        known = [look for look in looks if look is not None]
        return alike if 2 * sum(not look.is_labels for look in known) > len(known) else []

    def look_right(self, pairs: Sequence[Couple]) -> bool:
        """Whether most of a few of the pairs look like an image and its mask."""
        return self._fit(_some(pairs))

    def _with_other_parts(self, best: list[Couple], pictures: list[Picture]) -> list[Couple]:
        """The pairs, and those of what they leave whose names differ in other words, as in parts of a set
        that come from several places."""
        whole = list(best)
        for _ in range(_MOST_ROUNDS):
            left = without(pictures, [picture for couple in whole for picture in couple])
            found = self._choices(left, None) if len(left) >= 2 * _FEWEST else []
            if not found or len(found[0]) < _FEWEST:
                break
            whole += found[0]
        return whole

    def _choices(self, images: Sequence[Picture], masks: Sequence[Picture] | None) -> list[list[Couple]]:
        """The pairs of each mark whose examples look like images and masks, most first."""
        found = []
        for mark, examples in plain_marks(likely_marks(images, masks), images, masks).items():
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

    def _are_labels(self, pairs: Sequence[Couple]) -> bool:
        """Whether half of the masks or more look like labels; the looks of images take longer."""
        looks = [self._look(mask.member) for _, mask in _some(pairs)]
        labels = [look for look in looks if look and look.is_telling and look.is_labels]
        return 2 * len(labels) >= len(looks)

    def _looks(self, pairs: Sequence[Couple]) -> list[tuple[Look, Look]]:
        """The looks of a few of the pairs, of those that can be read."""
        looks = [(self._look(image.member), self._look(mask.member)) for image, mask in _some(pairs)]
        return [(i, m) for i, m in looks if i and m and i.is_telling and m.is_telling]

    def _look_at(self, member: Member) -> Look | None:
        try:
            return look_at(self.read(member))
        except Refused:
            return None  # it is told with its file when the set is read


def _some(pairs: Sequence[Couple]) -> Sequence[Couple]:
    """A few of the pairs, from all over the set."""
    return pairs[:: max(1, len(pairs) // _LOOKED_AT)][:_LOOKED_AT]


def _ending(picture: Picture) -> str:
    return ending_of(picture.member.path)


def report_inferred(pairs: Sequence[Couple], log: ProblemLog) -> None:
    """Say that it was told by their looks which pictures are masks."""
    image, mask = pairs[0]
    log.guess(f"which pictures are masks was told by what is in them: {shown(mask.member.path)} and the like")
    log.warning(
        "roles_inferred",
        mask.member.path,
        f"Which pictures are masks was told by what is in them: {len(pairs)} such as this one, of images "
        f"such as {shown(image.member.path)}.",
        f"Nothing, if that is right. {NAME_THEM}",
    )
