"""How a set's mask pictures are to be read: by value, by the colours that are seen, or as objects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trainyard.datasets import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.base import Color, Read
from workers.ingest.mask_colors import (
    BLACK,
    WHITE_COLOR,
    color_counts,
    far_colors,
    found_colors,
    is_colored,
    warn_of_blurred,
)
from workers.ingest.mask_shades import has_alpha_shapes, seen_shades
from workers.ingest.mask_survey import MaskKinds, spread
from workers.ingest.mask_truth import Shown
from workers.ingest.masks import WHITE
from workers.ingest.object_question import Couples, ask_objects
from workers.ingest.object_survey import colored_objects, deep_objects
from workers.ingest.problems import ProblemLog, Refused

_LOSSY_LOOKED_AT = 16


@dataclass(frozen=True, kw_only=True)
class MaskReading:
    """How all masks of a set are read: see `MaskTruth` for `shown` and `table`, and `FoundSet` for `objects`.

    `palette` are the colours that values have, by value, where masks say them. With `found`, each colour of
    the table is a class because the masks have it, and for no other reason.
    """

    shown: Shown = "values"
    table: dict[Color, int] | None = None
    objects: bool = False
    palette: dict[int, Color] = field(default_factory=dict)
    found: bool = False


def mask_reading(
    kinds: MaskKinds,
    couples: Couples,
    read: Read,
    options: IngestOptions,
    listed: Callable[[], dict[Color, int]],
    several: bool,
    white: int,
    log: ProblemLog,
) -> MaskReading:
    """The reading that the masks need, of these `kinds`, in couples of image and mask.

    `listed` gives the values of colours that the upload names, `several` says whether several classes beside
    the background are named, `white` is for `MaskTruth`.

    What is concluded is logged, what is open asked. Raises Refused where the masks cannot be read.
    """
    if has_alpha_shapes(kinds, read):
        log.guess("the shapes in the masks are their transparency, since their colours are all one")
        return MaskReading(shown="alpha", objects=options.objects == "one_class")
    if options.objects == "one_class":
        return MaskReading(shown="objects", objects=True)
    named = {_color(text): value for text, value in (options.colors or {}).items()}
    lossy = [one for one in spread(kinds.jpegs, _LOSSY_LOOKED_AT) if is_colored([one], read)]
    colored = bool(named or kinds.palettes_differ or is_colored(kinds.colored, read))
    if not colored and kinds.paletted:
        shades = seen_shades(kinds, read)
        if shades == "shades":
            log.guess("palettes of masks are read by the grey that they show, not by index")
            return MaskReading(shown="shades")
        colored = shades == "colors"
    colors = named or (listed() if colored or lossy else {})
    if colored or (lossy and colors):
        return _by_color(couples, kinds, read, options, colors, lossy, several, white, log)
    objects = not several and options.objects is None and _are_deep_objects(couples, kinds, read, log)
    return MaskReading(
        shown="objects" if objects else "values",
        objects=objects,
        palette=dict(enumerate(kinds.palette)),
    )


def _by_color(
    couples: Couples,
    kinds: MaskKinds,
    read: Read,
    options: IngestOptions,
    colors: dict[Color, int],
    lossy: Sequence[Member],
    several: bool,
    white: int,
    log: ProblemLog,
) -> MaskReading:
    if colors:
        counts = color_counts([*kinds.colored, *lossy], read)
        strange, are_edges = far_colors(counts, colors, lossy=bool(lossy))
        if strange and are_edges:
            warn_of_blurred(strange, couples[0][1].path, log)
        return MaskReading(shown="nearest" if strange and are_edges else "values", table=colors)
    masks = [mask for _, mask in couples]
    counts = color_counts(masks, read)
    if not several and options.objects is None and len(counts) == len(masks):
        sure = colored_objects(masks, counts, read)
        why = "Each colour is one piece, and images show different colours, or differently many of the same."
        if sure == "certain":
            log.guess(f"the colours of the masks tell objects of one class apart: {why.lower()}")
            return MaskReading(shown="objects", objects=True)
        if sure == "likely" and ask_objects(read, couples, why, {}, log):
            return MaskReading(shown="objects", objects=True)
    table, blurred = found_colors(counts)
    if blurred:
        warn_of_blurred(blurred, couples[0][1].path, log)
    shown: Shown = "nearest" if blurred else "values"
    if set(table) == {BLACK, WHITE_COLOR}:
        return MaskReading(shown=shown, table={BLACK: 0, WHITE_COLOR: white})
    return MaskReading(shown=shown, table=table, found=True)


def _are_deep_objects(couples: Couples, kinds: MaskKinds, read: Read, log: ProblemLog) -> bool:
    sure = deep_objects(kinds.deep, read) if kinds.deep else None
    why = "They go beyond 255, begin anew in each image, and nearly each is one piece."
    if sure == "certain":
        log.guess(f"the values of the masks are ids of objects, and all objects are one class: {why.lower()}")
        return True
    return sure == "likely" and ask_objects(read, couples, why, None, log)


def white_value(names: Mapping[int, str]) -> int:
    """The value of white in masks of one bit: 1 where the classes named have 1 and not 255."""
    return 1 if 1 in names and WHITE not in names else WHITE


def _color(text: str) -> Color:
    try:
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
    except ValueError as error:
        raise Refused("colors_option", f"{text[:20]!r} is no colour.", "Write colours as #rrggbb.") from error
    return red, green, blue
