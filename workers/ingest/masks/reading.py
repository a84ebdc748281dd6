"""How a set's mask pictures are to be read: by value, by the colours that are seen, or as objects."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.items import Color, Read
from workers.ingest.masks.objects.object_ids import PLAIN, PLAIN_NAMED, background_of
from workers.ingest.masks.objects.object_question import Couples, ask_objects
from workers.ingest.masks.objects.object_survey import colored_objects, deep_objects
from workers.ingest.masks.rescaled import check_greys_are_colors
from workers.ingest.masks.survey import MaskKinds, spread
from workers.ingest.masks.truth import Shown
from workers.ingest.masks.values.colors import (
    BLACK,
    WHITE_COLOR,
    Counts,
    color_counts,
    far_colors,
    found_colors,
    is_colored,
    warn_of_blurred,
)
from workers.ingest.masks.values.grey_levels import jpeg_levels, number_levels
from workers.ingest.masks.values.near_colors import ask_about_near_colors, near_colors
from workers.ingest.masks.values.shades import has_alpha_shapes, seen_colors, seen_indices, seen_shades
from workers.ingest.masks.values.shared_colors import indices_count
from workers.ingest.pictures.mask_files import WHITE, color_of, hex_of
from workers.ingest.problems import ProblemLog, Refused

_LOSSY_LOOKED_AT = 16


@dataclass(frozen=True, kw_only=True)
class MaskSet:
    """The masks of a set behind their images, and what is known of them beforehand.

    `listed` gives the values of colours that the upload names, `named` says how many classes beside the
    background are named, `white` is for `MaskTruth`. With `by_listed_palette`, masks of a palette whose
    colours are all listed are read by colour, since indices may be in another order.
    """

    couples: Couples
    kinds: MaskKinds
    read: Read
    options: IngestOptions
    listed: Callable[[], dict[Color, int]]
    named: int
    white: int
    by_listed_palette: bool = True

    @property
    def masks(self) -> list[Member]:
        """The masks, in order."""
        return [mask for _, mask in self.couples]

    @property
    def may_be_objects(self) -> bool:
        """Whether nothing said of the set contradicts that values are ids of objects."""
        return self.named <= 1 and self.options.objects is None


@dataclass(frozen=True, kw_only=True)
class MaskReading:
    """How all masks of a set are read: see `MaskTruth` for `shown`, `table` and `levels`, and `FoundSet` for
    `objects`. With `names`, classes are called so by value, if nobody names them.

    `palette` are the colours that values have, by value, where masks say them. With `found`, each colour of
    the table is a class because the masks have it, and for no other reason.
    """

    shown: Shown = "values"
    table: dict[Color, int] | None = None
    objects: bool = False
    palette: dict[int, Color] = field(default_factory=dict)
    found: bool = False
    levels: Mapping[float, int] | None = None
    names: Mapping[int, str] | None = None


_OBJECTS = MaskReading(shown="objects", objects=True)


def mask_reading(given: MaskSet, log: ProblemLog) -> MaskReading:
    """The reading that the masks need; what is concluded is logged, what is open asked.

    Raises Refused where the masks cannot be read.
    """
    kinds, read, options = given.kinds, given.read, given.options
    _report_stacked(kinds.stacked, log)
    if has_alpha_shapes(kinds, read):
        log.guess("the shapes in the masks are their transparency, since their colours are all one")
        return MaskReading(shown="alpha", objects=options.objects == "one_class")
    if options.objects == "one_class":
        return _OBJECTS
    named = {_color(text): value for text, value in (options.colors or {}).items()}
    lossy = [one for one in spread(kinds.jpegs, _LOSSY_LOOKED_AT) if is_colored([one], read)]
    colored = bool(named or kinds.palettes_differ or is_colored(kinds.colored, read))
    if not colored and kinds.paletted:
        shades = seen_shades(kinds, read)
        if shades == "shades":
            log.guess("palettes of masks are read by the grey that they show, not by index")
            return MaskReading(shown="shades")
        if shades == "colors" and _indices_count(given, log):
            return MaskReading(palette=dict(enumerate(kinds.palette)))
        colored = shades == "colors" or (given.by_listed_palette and _is_listed(given))
    colors = named or (given.listed() if colored or lossy else {})
    if colors and (colored or lossy):
        return table_reading([*kinds.colored, *lossy], colors, read, log, lossy=bool(lossy))
    if colored:
        return _by_found_colors(given, log)
    if given.may_be_objects and _are_deep_objects(given, log):
        return _OBJECTS
    return _by_levels(given, log) or MaskReading(palette=dict(enumerate(kinds.palette)))


def _indices_count(given: MaskSet, log: ProblemLog) -> bool:
    return indices_count(
        seen_indices(given.kinds, given.read),
        given.couples,
        named=given.named,
        options=given.options,
        read=given.read,
        log=log,
    )


def _report_stacked(masks: Sequence[Member], log: ProblemLog) -> None:
    if masks:
        log.warning(
            "mask_pages",
            masks[0].path,
            f"{len(masks)} mask(s) have several pages; the first of each is used.",
            "Nothing, if that is meant; else save each page as a file of its own.",
        )


def _by_levels(given: MaskSet, log: ProblemLog) -> MaskReading | None:
    """The reading of masks of numbers that are no ids, or of greys that JPEG has blurred."""
    kinds = given.kinds
    shallow = _all_but(kinds.deep, given.masks)
    if kinds.deep and (levels := number_levels(kinds.deep, shallow, given.read)):
        told = ", ".join(f"{level:g}" for level in levels)
        log.guess(f"the numbers {told} in the masks are classes, counted from 0 in this order")
        names = {value: f"value_{level:g}" if value else "background" for level, value in levels.items()}
        return MaskReading(shown="levels", levels=levels, names=names)
    if kinds.jpegs and (levels := jpeg_levels(kinds.jpegs, _all_but(kinds.jpegs, given.masks), given.read)):
        told = ", ".join(f"{level:g}" for level in levels)
        log.warning(
            "mask_jpeg",
            kinds.jpegs[0].path,
            f"{len(kinds.jpegs)} mask(s) are JPEGs, which blur values. Their greys gather about {told}, and "
            "each pixel counts as the nearest of these.",
            "Save masks as PNG from the original annotation.",
        )
        return MaskReading(shown="levels", levels=levels)
    return None


def _all_but(some: Sequence[Member], masks: Sequence[Member]) -> list[Member]:
    paths = {member.path for member in some}
    return [member for member in masks if member.path not in paths]


def _is_listed(given: MaskSet) -> bool:
    """Whether the palettes show colours, all of which the upload lists."""
    seen = seen_colors(given.kinds, given.read)
    is_grey = all(len(set(color)) == 1 for color in seen)
    return len(seen) > 1 and not is_grey and seen <= given.listed().keys()


def table_reading(
    masks: Sequence[Member], colors: dict[Color, int], read: Read, log: ProblemLog, *, lossy: bool
) -> MaskReading:
    """The reading of masks of colours by a table: by the nearest where others are but edges, which is logged.

    With `lossy`, some of them are JPEGs. Raises Refused for a picture that is no mask.
    """
    strange, are_edges = far_colors(color_counts(masks, read), colors, lossy=lossy)
    if not (strange and are_edges):
        return MaskReading(table=colors)
    warn_of_blurred(strange, masks[0].path, log)
    return MaskReading(shown="nearest", table=colors)


def _by_found_colors(given: MaskSet, log: ProblemLog) -> MaskReading:
    masks = given.masks
    counts: Sequence[Counts] = color_counts(masks, given.read)
    check_greys_are_colors(masks, counts, [*given.kinds.grey, *given.kinds.jpegs])
    near = near_colors(masks, counts, given.read)
    if given.may_be_objects and len(counts) == len(masks):
        found = _by_object_colors(given, near.joined(counts) if near else counts, log)
        if found is not None:
            return found
    if near is not None and (near.are_noise or ask_about_near_colors(near, given.couples, given.read, log)):
        total = Counter[int]()
        for one in counts:
            total.update(one)
        others = {code: total[code] for code, to in near.nearest.items() if code != to}
        warn_of_blurred(others, masks[0].path, log)
        return _by_table(near.table, given, is_blurred=True)
    table, blurred = found_colors(masks, counts, given.read)
    if blurred:
        warn_of_blurred(blurred, masks[0].path, log)
    return _by_table(table, given, is_blurred=bool(blurred))


def _by_object_colors(given: MaskSet, counts: Sequence[Counts], log: ProblemLog) -> MaskReading | None:
    """The reading of masks whose colours tell objects apart; None where they do not."""
    background = background_of(counts)
    if background is None:
        return None
    sure = colored_objects(given.masks, counts, given.read, background)
    why = "Each colour is one piece, and images show different colours, or differently many of the same."
    if sure == "certain" and background == 0:
        log.guess(f"the colours of the masks tell objects of one class apart: {why.lower()}")
        return _OBJECTS
    if sure and _are_asked_objects(given, why, background, counts, log):
        return _OBJECTS if background == 0 else MaskReading(table=_one_color(background, counts))
    return None


def _by_table(table: dict[Color, int], given: MaskSet, *, is_blurred: bool) -> MaskReading:
    shown: Shown = "nearest" if is_blurred else "values"
    if set(table) == {BLACK, WHITE_COLOR}:
        return MaskReading(shown=shown, table={BLACK: 0, WHITE_COLOR: given.white})
    return MaskReading(shown=shown, table=table, found=True)


def _are_asked_objects(
    given: MaskSet, why: str, background: int, counts: Sequence[Counts], log: ProblemLog
) -> bool:
    if background == 0:
        return ask_objects(given.read, given.couples, why, {}, log)
    colors = {hex_of(color): value for color, value in _one_color(background, counts).items()}
    named = {"colors": colors, "classes": {"0": "background", "1": "object"}}
    return ask_objects(given.read, given.couples, why, {}, log, background=background, as_objects=named)


def _one_color(background: int, counts: Sequence[Counts]) -> dict[Color, int]:
    """A table by which all colours but that of the background are one class."""
    return {color_of(code): int(code != background) for code in set().union(*counts)}


def _are_deep_objects(given: MaskSet, log: ProblemLog) -> bool:
    deep = given.kinds.deep
    sure = deep_objects(deep, given.read, PLAIN_NAMED if given.named else PLAIN) if deep else None
    why = "They go beyond 255, begin anew in each image, and nearly each is one piece."
    if sure == "certain":
        log.guess(f"the values of the masks are ids of objects, and all objects are one class: {why.lower()}")
        return True
    return sure == "likely" and ask_objects(given.read, given.couples, why, None, log)


def white_value(names: Mapping[int, str]) -> int:
    """The value of white in masks of one bit: 1 where the classes named have 1 and not 255."""
    return 1 if 1 in names and WHITE not in names else WHITE


def _color(text: str) -> Color:
    try:
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
    except ValueError as error:
        raise Refused("colors_option", f"{text[:20]!r} is no colour.", "Write colours as #rrggbb.") from error
    return red, green, blue
