"""Finds masks of a set that were written in another way than the rest of them."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from workers.ingest.archive import Member
from workers.ingest.problems import Refused, shown

_WHITE_CODE = 0xFFFFFF


def rescaled(masks: Iterable[Collection[float]]) -> dict[int, int]:
    """What each high value of some masks is in others, where these have the same ids times another factor, as
    greys have that were made to be seen; empty where it is not so.

    Of all values but 0, the low ones and the high ones are multiples of two numbers, most of them the same
    multiples, at least two of each, and no mask has both.
    """
    each = [set(values) - {0} for values in masks]
    ordered = sorted(set().union(*each))
    if not all(float(one).is_integer() and one > 0 for one in ordered):
        return {}
    for cut in range(2, len(ordered) - 1):
        low, high = set(ordered[:cut]), set(ordered[cut:])
        if any(own & low and own & high for own in each):
            continue
        base, factor = (math.gcd(*(int(one) for one in part)) for part in (low, high))
        lower, higher = {one // base for one in low}, {one // factor for one in high}
        if factor > max(lower) * base and 2 * len(lower & higher) >= len(lower | higher):
            return {int(one): int(one // factor * base) for one in high}
    return {}


def check_greys_are_colors(
    masks: Sequence[Member], counts: Sequence[Mapping[int, int]], one_channel: Iterable[Member]
) -> None:
    """Raise Refused where masks without colours have greys that no mask with colours shows: they are ids, or
    greys of their own. `counts` are the colours of each of `masks`, of which some are of `one_channel`.

    One such grey alone may be a class that stands in no mask beside another, but not in one channel.
    """
    if len(counts) != len(masks):
        return  # one that cannot be read has an error of its own
    paths = {member.path for member in one_channel}
    pairs = list(zip(masks, counts, strict=True))
    without = [(member, own) for member, own in pairs if all(_is_grey(code) for code in own)]
    colors = {code for _, own in pairs if not all(_is_grey(code) for code in own) for code in own}
    plain = colors | {0, _WHITE_CODE}
    strange = [
        member for member, own in without if len(own.keys() - plain) >= (1 if member.path in paths else 2)
    ]
    if not strange or not colors:
        return
    raise Refused(
        "masks_mixed",
        f"{len(masks) - len(without)} mask(s) show colours, and {len(strange)}, such as "
        f"{shown(strange[0].path)}, greys or numbers that no mask of colours has: what is one class in both "
        "cannot be told.",
        "Save all masks of the set in one way, with colours or with class ids, or send them as two sets.",
    )


def _is_grey(code: int) -> bool:
    return code >> 16 == code >> 8 & 0xFF == code & 0xFF
