"""Values in a few pixels beside the levels that a set's masks plainly have: slips of a brush, or noise.

As classes they would be many in silence; which level they mean is not in the files, so it is asked.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from workers.ingest.classes.class_rules import ClassRules, are_ids, listed_values
from workers.ingest.decision.value_map import LEVEL_SHARE, NEAR, LabelMap
from workers.ingest.items import FoundSet, Source
from workers.ingest.masks.survey import spread
from workers.ingest.masks.values.grey_levels import are_distinct, gathered
from workers.ingest.pictures.mask_files import WHITE
from workers.ingest.problems import Offer, ProblemLog, shown
from workers.ingest.question_previews import MOST_ROWS, Example, preview
from workers.ingest.reading.statistics import SampleCounts
from workers.prepared.version import Uint8

_MOST_STRAY = 0.05
"""All stray values together have at most this share."""

_SPECK_PIXELS = 4
_SPECK_SHARE = 2e-4
"""A speck is so many pixels of a mask, or this share of it."""

_RARE = 0.25
_FEW_MASKS = 8
_NOISE_VALUES = 8
_NOISE_SHARE = 0.01
_MOSTLY = 0.8
_FAR_MORE = 10
_EDGE_VALUES = 2
_MOST_THIN = 0.2
"""Smoothed edges have at most this share of all pixels."""
_SMOOTHED = 32
"""Edges between three levels leave at least so many values."""
_BESIDE = 6
"""What is so near to a level may have areas: enlarging reaches beyond the level a little."""
_THICK_SHARE = 0.02
_MOST_INNER = 0.1
_LOOKED_AT = 16


@dataclass(frozen=True, kw_only=True)
class Strays:
    """The levels of a set, and the pixels of each stray value; `files` are the masks that have some. Noise
    lies about the levels, else strays are specks."""

    levels: frozenset[int]
    pixels: Mapping[int, int]
    files: Sequence[str]
    are_noise: bool

    @property
    def proposed(self) -> LabelMap:
        """What they most likely are: noise belongs to the nearest level, a speck to nothing."""
        return self.nearest if self.are_noise else self.ignored

    @property
    def nearest(self) -> LabelMap:
        """The nearest level of each stray value; of two as near, the lower."""
        return {
            value: min(sorted(self.levels), key=lambda level, v=value: abs(level - v))  # type: ignore[misc]
            for value in sorted(self.pixels)
        }

    @property
    def ignored(self) -> LabelMap:
        """Each stray value as no class."""
        return dict.fromkeys(sorted(self.pixels))


def find_strays(
    rules: ClassRules | None,
    ignore_value: int | None,
    readings: Sequence[SampleCounts],
    masks_of: Callable[[int], Uint8],
) -> Strays | None:
    """The stray values of masks whose values are counted, in the order of `masks_of`; None without any.

    Where classes are named, what they name, or ignore, is no stray.
    """
    total: Counter[int] = Counter()
    masks: Counter[int] = Counter()
    for reading in readings:
        total.update(reading.values)
        masks.update(reading.values.keys())
    named = ({*rules.names, rules.ignore_value} if rules else set()) | {ignore_value}
    between = total.keys() - {0, WHITE} - named
    if not rules and {0, WHITE} <= total.keys() and _are_edges(between, readings, masks_of):
        levels = frozenset({0, WHITE})
        return _strays(levels, {value: total[value] for value in between}, readings, are_noise=True)
    strays = _beside_levels(rules, total, masks, named, readings, masks_of)
    if strays is not None and not strays.are_noise:
        return strays
    about = _about_levels(total, named if rules else None, readings, masks_of)
    others = {value: count for value, count in total.items() if value not in {*(about or ()), *named}}
    if about and others:
        return _strays(about, others, readings, are_noise=True)
    return strays or (None if rules else _thin_edges(total, readings, masks_of))


def _thin_edges(
    total: Mapping[int, int], readings: Sequence[SampleCounts], masks_of: Callable[[int], Uint8]
) -> Strays | None:
    """Many values between levels of grey that have no area of their own; which level they mean is open, since
    the edge of the lightest passes the greys of all others. None without any."""
    if len(total) < _SMOOTHED:
        return None
    levels = gathered(masks_of(number) for number in spread(range(len(readings)), _LOOKED_AT))
    if levels is None or not set(levels) <= total.keys():
        return None
    others = {value: count for value, count in total.items() if value not in levels}
    between = [value for value in others if min(abs(value - level) for level in levels) > _BESIDE]
    many = len(between) >= _NOISE_VALUES and sum(others.values()) <= _MOST_THIN * sum(total.values())
    if not many or _have_areas(between, readings, masks_of):
        return None
    return _strays(frozenset(levels), others, readings, are_noise=False)


def _beside_levels(
    rules: ClassRules | None,
    total: Mapping[int, int],
    masks: Mapping[int, int],
    named: Collection[int | None],
    readings: Sequence[SampleCounts],
    masks_of: Callable[[int], Uint8],
) -> Strays | None:
    """The stray values of masks of which nearly all pixels have clear levels; None without any."""
    pixels = sum(total.values())
    levels = frozenset((total.keys() & named) | (set() if rules else _levels(total)))
    others = {value: count for value, count in total.items() if value not in levels}
    if not others or len(levels) < 2 or sum(others.values()) > _MOST_STRAY * pixels:
        return None
    ids = not rules and are_ids(set(levels) - {WHITE} or {0})
    specks = {v: n for v, n in others.items() if _is_speck(v, n, masks[v], levels, readings, ids)}
    are_specks = len(specks) == len(others)
    if not are_specks and (
        not _is_noise(others, levels, ids, pixels) or _have_areas(others, readings, masks_of)
    ):
        return None
    return _strays(levels, others, readings, are_noise=len(specks) < len(others))


def _about_levels(
    total: Mapping[int, int],
    named: Collection[int | None] | None,
    readings: Sequence[SampleCounts],
    masks_of: Callable[[int], Uint8],
) -> frozenset[int] | None:
    """The levels, of those `named` if classes are, about which the greys of all areas gather; None where
    values are what they say."""
    ids = are_ids(set(total) - {WHITE} or {0}) and not _is_one_beside_white(readings)
    if len(total) <= 2 or ids:
        return None
    masks = [masks_of(number) for number in spread(range(len(readings)), _LOOKED_AT)]
    levels = gathered(masks)
    if levels is not None and named is not None:
        known = [value for value in named if value is not None]
        levels = [min(known, key=lambda value, one=level: abs(value - one)) for level in levels]  # type: ignore[misc]
    if levels is None or set(levels) - {0, WHITE} - total.keys() or not total.keys() - set(levels):
        return None
    least = LEVEL_SHARE * sum(total.values())
    far = [value for value in total.keys() - set(named or ()) if _is_far(value, levels)]
    if any(total[value] >= least for value in far) or _have_areas(far, readings, masks_of):
        return None
    return None if are_distinct(masks, len(total)) else frozenset(levels)


def _is_one_beside_white(readings: Sequence[SampleCounts]) -> bool:
    """Whether the background of black and white masks is 0 in some files and 1 in others."""
    shown = {frozenset(reading.values) - {WHITE} for reading in readings}
    return shown - {frozenset()} == {frozenset({0}), frozenset({1})}


def _is_far(value: int, levels: Collection[int]) -> bool:
    return min(abs(value - level) for level in levels) > NEAR


def _strays(
    levels: frozenset[int], pixels: Mapping[int, int], readings: Sequence[SampleCounts], *, are_noise: bool
) -> Strays:
    files = [reading.mask_file for reading in readings if pixels.keys() & reading.values.keys()]
    return Strays(levels=levels, pixels=pixels, files=files, are_noise=are_noise)


def _are_edges(
    between: Collection[int], readings: Sequence[SampleCounts], masks_of: Callable[[int], Uint8]
) -> bool:
    """Whether several values between black and white are thin wherever they are, as smoothed edges."""
    if len(between) < _EDGE_VALUES or are_ids(set(between) | {0}):
        return False
    inner, all_of_them = 0, 0
    numbers = [number for number, reading in enumerate(readings) if reading.values.keys() & set(between)]
    for number in spread(numbers, _LOOKED_AT):
        there = np.isin(masks_of(number), list(between)).astype(np.uint8)
        all_of_them += int(there.sum())
        inner += int(cv2.erode(there, np.ones((3, 3), np.uint8), borderValue=0).sum())
    return inner <= _THICK_SHARE * all_of_them


def _levels(total: Mapping[int, int]) -> set[int]:
    """The values that many pixels have; of grey codes, not those near to one that far more have."""
    least = LEVEL_SHARE * sum(total.values())
    often = {value for value, count in total.items() if count >= least}
    if not often or are_ids(often - {WHITE} or {0}):
        return often
    return {
        value
        for value in often
        if not any(abs(value - one) <= NEAR and total[one] >= _FAR_MORE * total[value] for one in often)
    }


def _is_speck(
    value: int, count: int, masks: int, levels: Collection[int], readings: Sequence[SampleCounts], ids: bool
) -> bool:
    """Whether a value has but a few pixels of a few masks, and is not the id that comes next."""
    highest = max(set(levels) - {WHITE}, default=0)
    if ids and highest and value <= highest + 1 and count > _SPECK_PIXELS:
        return False
    mean = sum(reading.height * reading.width for reading in readings) / len(readings)
    few = masks <= max(_RARE * len(readings), 1) or len(readings) < _FEW_MASKS
    return few and count / masks <= max(_SPECK_PIXELS, _SPECK_SHARE * mean)


def _have_areas(
    values: Collection[int], readings: Sequence[SampleCounts], masks_of: Callable[[int], Uint8]
) -> bool:
    """Whether many pixels of these values are amid others of their own value."""
    inner, all_of_them = 0, 0
    around = np.ones((3, 3), np.uint8)
    numbers = [number for number, reading in enumerate(readings) if reading.values.keys() & set(values)]
    for number in spread(numbers, _LOOKED_AT):
        mask = masks_of(number)
        there = np.isin(mask, list(values))
        all_of_them += int(there.sum())
        inner += int((there & (cv2.dilate(mask, around) == cv2.erode(mask, around))).sum())
    return inner > _MOST_INNER * all_of_them


def _is_noise(others: Mapping[int, int], levels: Collection[int], ids: bool, pixels: int) -> bool:
    """Whether many values lie about levels of grey, as compression with loss leaves them."""
    near = sum(count for value, count in others.items() if min(abs(value - one) for one in levels) <= NEAR)
    smoothed = set(levels) == {0, WHITE}
    return (
        not ids
        and len(others) >= _NOISE_VALUES
        and (smoothed or near >= _MOSTLY * sum(others.values()))
        and max(others.values()) < _NOISE_SHARE * pixels
    )


def ask_about_strays(
    strays: Strays,
    found: FoundSet,
    rules: ClassRules | None,
    source: Source,
    log: ProblemLog,
) -> LabelMap:
    """Ask what the stray values are; returns the label map to go on with."""
    members = {member.path: member for member in source.members}
    images = {item.truth.file: item.image for item in found.items}
    rows = [(images[file], members[file]) for file in spread(strays.files, MOST_ROWS) if file in members]

    def offer(key: str, text: str, options: Mapping[str, Any], values: LabelMap) -> Offer:
        shown_as = {value: 0 if target is None else target for value, target in values.items()}
        examples = [Example(image=image, masks=[mask], values=shown_as) for image, mask in rows]
        return Offer(
            key=key,
            text=text,
            count=len(strays.files),
            options=options,
            examples=strays.files,
            draw=preview(source.read, examples) if rows else None,
        )

    offers = [
        offer(
            "nearest",
            "They count as the nearest of the other values.",
            _mapped(strays.nearest),
            strays.nearest,
        ),
        offer(
            "ignored", "They are no class: their pixels are ignored.", _mapped(strays.ignored), strays.ignored
        ),
    ]
    if not strays.are_noise:
        offers.reverse()
    classes = _as_classes(strays)
    if rules is None:
        offers.append(offer("classes", "Each is a class of its own.", {"classes": classes}, {}))
    key = log.ask("stray_values", _text(strays), offers)
    return {"nearest": strays.nearest, "ignored": strays.ignored}.get(key, {})


def _text(strays: Strays) -> str:
    most = sorted(strays.pixels.items(), key=lambda entry: -entry[1])[:10]
    told = ", ".join(f"{value} ({count} pixels)" for value, count in most)
    more = " and more" if len(strays.pixels) > len(most) else ""
    return (
        f"Beside {listed_values(strays.levels)}, {len(strays.files)} mask(s), such as "
        f"{shown(strays.files[0])}, have {len(strays.pixels)} other value(s) in "
        f"{sum(strays.pixels.values())} pixels: {told}{more}. What are they?"
    )


def _mapped(label_map: LabelMap) -> dict[str, Any]:
    return {"label_map": {str(value): target for value, target in label_map.items()}}


def _as_classes(strays: Strays) -> dict[str, str]:
    values = sorted({*strays.levels, *strays.pixels})
    return {str(value): "background" if value == 0 else f"value_{value}" for value in values}
