"""What the four numbers of a box mean, where a format has nothing but numbers: files often break its rule.

A set is judged as a whole. Where objects have outlines, or areas, these tell. Else the format's own rule
holds, unless boxes reach beyond their images by it, and by another one all lie within: then it is asked.
Numbers of at most 1 in all boxes are fractions of the image, since nobody draws within one pixel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from trainyard.datasets.record import BoxForm, IngestOptions
from workers.ingest.archive import Member
from workers.ingest.items import Read
from workers.ingest.problems import Offer, ProblemLog
from workers.ingest.question_previews import BoxExample, box_preview
from workers.ingest.regions.masks import Sides

Numbers = tuple[float, float, float, float]
Size = tuple[int, int]
Units = Literal["pixels", "fractions"]

FORMS: tuple[BoxForm, ...] = get_args(BoxForm)
WORDS: dict[BoxForm, str] = {
    "xywh": "left, top, width and height",
    "xyxy": "two corners, left, top, right and bottom",
    "cxcywh": "the centre, width and height",
}

_ROUNDED = 0.01
"""The part of an image's side, at least two pixels, by which the box of an object may reach beyond it."""
_ALIKE = 0.9
_MOST_FRACTION = 1.001
LARGEST_FRACTION = 2.0
"""A little above 1 is a rounding fault, hundreds are pixels."""
_EXAMPLES, _EXAMPLE_BOXES = 3, 100


def sides(form: BoxForm, numbers: Numbers) -> Sides:
    """The sides of a box, of whatever order its corners were drawn in."""
    a, b, c, d = numbers
    if form == "xyxy":
        return min(a, c), min(b, d), max(a, c), max(b, d)
    left, top = (a, b) if form == "xywh" else (a - abs(c) / 2, b - abs(d) / 2)
    if form == "xywh":
        left, top = min(a, a + c), min(b, b + d)
    return left, top, left + abs(c), top + abs(d)


@dataclass(frozen=True, kw_only=True)
class BoxReading:
    """How all boxes of a set are read."""

    form: BoxForm
    units: Units


class BoxForms:
    """Gathers what a set's boxes say of their form."""

    def __init__(self, own: BoxForm, units: Units, *, certain: bool = True) -> None:
        """`own` is what the format's rule says, and `units` those of its numbers; it is but the likeliest
        where no rule makes it `certain`."""
        self._own = own
        self._certain = certain
        self._units: Units = units
        self._count = 0
        self._images: set[str] = set()
        self._largest = 0.0
        self._beyond: dict[tuple[BoxForm, Units], int] = {(f, u): 0 for f in FORMS for u in get_args(Units)}
        self._told: dict[BoxForm, int] = dict.fromkeys(FORMS, 0)
        self._telling = 0
        self._examples: dict[str, tuple[Size, list[Numbers]]] = {}

    def add(
        self, numbers: Numbers, size: Size | None, image: str, area: float | None, outline: Sides | None
    ) -> None:
        """Count a box of an image of that size, where it is known; `area` and `outline` are those of its
        object, where it has any."""
        self._count += 1
        self._images.add(image)
        self._largest = max(self._largest, *map(abs, numbers))
        if outline is not None:
            self._tell(numbers, area, outline)
            return
        for form in FORMS:
            box = sides(form, numbers)
            self._beyond[form, "fractions"] += not _lies_within(box, (1, 1), form, numbers)
            self._beyond[form, "pixels"] += size is not None and not _lies_within(box, size, form, numbers)
        self._tell(numbers, area, outline)
        whole = (1, 1) if self._units == "fractions" and max(map(abs, numbers)) <= LARGEST_FRACTION else size
        if whole is not None and not (
            self._certain and _lies_within(sides(self._own, numbers), whole, self._own, numbers)
        ):
            self._keep(image, whole, numbers)

    def _tell(self, numbers: Numbers, area: float | None, outline: Sides | None) -> None:
        """Count the forms that the outline or the area of an object speaks for."""
        if outline is not None and _agrees(sides(self._own, numbers), area, outline):
            told = [self._own]
        else:
            told = [form for form in FORMS if _agrees(sides(form, numbers), area, outline)]
        if told and len(told) < len(FORMS):
            self._telling += 1
            for form in told:
                self._told[form] += 1

    def _keep(self, image: str, size: Size, numbers: Numbers) -> None:
        """Keep a box that reaches beyond its image for a preview, of a few images."""
        if image in self._examples or len(self._examples) < _EXAMPLES:
            kept = self._examples.setdefault(image, (size, []))[1]
            kept.extend([numbers] if len(kept) < _EXAMPLE_BOXES else [])

    def settled(
        self,
        options: IngestOptions,
        file: str,
        find: Callable[[str], Member | None],
        read: Read,
        log: ProblemLog,
    ) -> BoxReading:
        """How to read them; asked where that is open. `file` is one that has boxes, `find` gives an image."""
        units: Units = self._units
        if units == "fractions" and self._largest > LARGEST_FRACTION:
            units = "pixels"
            log.warning(
                "box_pixels",
                file,
                f"Numbers of the {self._count} boxes reach {self._largest:g}: they are read as pixels, not "
                "as fractions of the image's width and height.",
                "Nothing, if that is meant; else export the boxes in fractions.",
            )
        elif self._count and units == "pixels" and self._largest <= _MOST_FRACTION:
            units = "fractions"
            log.warning(
                "box_fractions",
                file,
                f"All numbers of the {self._count} boxes are from 0 to 1: they are read as fractions of the "
                "image's width and height, not as pixels.",
                "Nothing, if that is meant; else export the boxes in pixels.",
            )
        if options.box_form is not None:
            return BoxReading(form=options.box_form, units=units)
        best = max(FORMS, key=lambda form: (self._told[form], form == self._own))
        if self._telling and self._told[best] >= _ALIKE * self._telling:
            if best != self._own:
                self._warn(best, file, log)
            return BoxReading(form=best, units=units)
        beyond = self._beyond[self._own, units]
        others = [form for form in FORMS if form != self._own and not self._beyond[form, units]]
        if not self._certain and (beyond == 0) + len(others) == 1:
            only = self._own if not beyond else others[0]
            log.guess(
                f"the numbers of boxes are {WORDS[only]}: as anything else they reach beyond their images"
            )
            return BoxReading(form=only, units=units)
        if not others or (self._certain and not beyond) or not self._count:
            return BoxReading(form=self._own, units=units)
        return BoxReading(form=self._asked(beyond, others, find, read, log), units=units)

    def _warn(self, form: BoxForm, file: str, log: ProblemLog) -> None:
        log.warning(
            "box_form_found",
            file,
            f"The numbers of boxes are {WORDS[form]}, and not {WORDS[self._own]} as the format has it: so "
            f"say the outlines or areas of {self._told[form]} of {self._telling} objects.",
            f"Nothing, if that is right; else send `box_form: {self._own}`.",
        )

    def _asked(
        self,
        beyond: int,
        others: Sequence[BoxForm],
        find: Callable[[str], Member | None],
        read: Read,
        log: ProblemLog,
    ) -> BoxForm:
        offers = [
            Offer(
                key=form,
                text=f"The numbers of a box are {WORDS[form]}"
                + (f"; {beyond} boxes are cut to their images." if form == self._own else "."),
                count=len(self._images),
                options={"box_form": form},
                examples=list(self._examples),
                draw=box_preview(read, self._drawn(form, find)),
            )
            for form in ((self._own, *others) if not beyond else (*others, self._own))
        ]
        if not beyond:
            listed = ", ".join(WORDS[one] for one in others)
            text = f"Nothing says what the numbers of boxes are: {WORDS[self._own]}, or {listed}."
            key = log.ask("box_form", text, offers)
            return next(form for form in FORMS if form == key)
        key = log.ask(
            "box_form",
            f"{beyond} of {self._count} boxes reach beyond their images if their numbers are "
            f"{WORDS[self._own]}, as the format has it; as {' or as '.join(WORDS[one] for one in others)} "
            "all lie within. What are they?",
            offers,
        )
        return next(form for form in FORMS if form == key)

    def _drawn(self, form: BoxForm, find: Callable[[str], Member | None]) -> list[BoxExample]:
        found = [(find(image), size, boxes) for image, (size, boxes) in self._examples.items()]
        return [
            BoxExample(image=member, size=size, boxes=tuple(sides(form, one) for one in boxes))
            for member, size, boxes in found
            if member is not None
        ]


def _lies_within(box: Sides, size: Size, form: BoxForm, numbers: Numbers) -> bool:
    left, top, right, bottom = box
    x_slack, y_slack = (max(_ROUNDED * side, 2.0 if side > 1 else 0.0) for side in size)
    is_drawn = form != "xyxy" or (numbers[0] < numbers[2] and numbers[1] < numbers[3])
    inside = (
        left >= -x_slack and top >= -y_slack and right <= size[0] + x_slack and bottom <= size[1] + y_slack
    )
    return is_drawn and left < right and top < bottom and inside


def _agrees(box: Sides, area: float | None, outline: Sides | None) -> bool:
    """Whether a box is that of the object's outline, or without one has its area."""
    left, top, right, bottom = box
    own = (right - left) * (bottom - top)
    if outline is not None:
        return overlap(box, outline) >= _ALIKE
    return area is not None and area > 0 and abs(own - area) <= max((1 - _ALIKE) / 2 * area, 1.0)


def overlap(one: Sides, other: Sides) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    if min(across, down) <= 0:
        return 0.0
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in (one, other)]
    return across * down / (sum(areas) - across * down)
