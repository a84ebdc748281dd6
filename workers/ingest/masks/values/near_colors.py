"""Colours of masks that differ by little: of one class, after a change of colour profile or noise, or of two.

Nothing in a file says so. Where one mask has areas of both, they are two; where the others have no area at
all, they are noise; where each file has its own, it is asked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workers.ingest.archive import Member
from workers.ingest.items import Read
from workers.ingest.masks.objects.object_question import Couples
from workers.ingest.masks.survey import spread
from workers.ingest.masks.values.edge_colors import areas
from workers.ingest.pictures.mask_files import Color, color_of, hex_of
from workers.ingest.problems import Offer, ProblemLog
from workers.ingest.question_previews import MOST_ROWS, Example, preview

NEAR = 8
"""How far in each of red, green and blue colours of one class are apart."""

_LOOKED_AT = 64
_MOST_CLASSES = 64
_MOST_OWN = 254
_BLACK: Color = (0, 0, 0)
_PLAIN = (0, 0xFFFFFF)


@dataclass(frozen=True, kw_only=True)
class NearColors:
    """`nearest` gives for each colour, 0xRRGGBB, the most frequent one near to it, or itself; black and white
    go before others. With `are_noise`, the others have no area."""

    nearest: Mapping[int, int]
    are_noise: bool

    @property
    def table(self) -> dict[Color, int]:
        """A value for each of the most frequent colours: 0 for black, the others from 1, in order."""
        return _table(sorted(set(self.nearest.values())))

    def joined(self, counts: Sequence[Mapping[int, int]]) -> list[Counter[int]]:
        """The pixels of each mask by the most frequent colours."""
        found = []
        for one in counts:
            joined: Counter[int] = Counter()
            for code, count in one.items():
                joined[self.nearest[code]] += count
            found.append(joined)
        return found


def near_colors(
    masks: Sequence[Member], counts: Sequence[Mapping[int, int]], read: Read
) -> NearColors | None:
    """The colours of masks, which have these counts, that are near to others; None where all are far from
    each other, or beside each other in one mask."""
    total: Counter[int] = Counter()
    for one in counts:
        total.update(one)
    nearest = _nearest(total)
    if nearest is None or all(code == to for code, to in nearest.items()):
        return None
    have_areas = False
    for member in spread(masks, _LOOKED_AT):
        found = areas(member, read) & nearest.keys()
        if len({nearest[code] for code in found}) < len(found):
            return None
        have_areas |= any(nearest[code] != code for code in found)
    return NearColors(nearest=nearest, are_noise=not have_areas)


def _nearest(total: Mapping[int, int]) -> dict[int, int] | None:
    """For each colour the most frequent one near to it; None where these are too many."""
    kept: list[int] = []
    nearest: dict[int, int] = {}
    for code in sorted(total, key=lambda code: (code not in _PLAIN, -total[code], code)):
        known = np.array([color_of(one) for one in kept], np.int64).reshape(-1, 3)
        distance = np.abs(known - np.array(color_of(code))).max(axis=1, initial=0)
        place = int(distance.argmin()) if len(kept) else -1
        if place < 0 or distance[place] > NEAR:
            kept.append(code)
            nearest[code] = code
            if len(kept) > _MOST_CLASSES:
                return None
        else:
            nearest[code] = kept[place]
    return nearest


def ask_about_near_colors(near: NearColors, couples: Couples, read: Read, log: ProblemLog) -> bool:
    """Ask whether near colours are one class; returns whether to go on so."""
    others = sorted(code for code, to in near.nearest.items() if code != to)
    rows = spread(couples, MOST_ROWS)
    draw = preview(read, [Example(image=image, masks=[mask]) for image, mask in rows])
    offers = [
        Offer(
            key="same",
            text=f"Colours that differ by at most {NEAR} are one class: there are {len(near.table)}.",
            count=len(couples),
            options={"colors": {hex_of(color): value for color, value in near.table.items()}},
            draw=draw,
        )
    ]
    if len(near.nearest) <= _MOST_OWN:
        own = _table(sorted(near.nearest))
        offers.append(
            Offer(
                key="classes",
                text=f"Each colour is a class: there are {len(own)}.",
                count=len(couples),
                options={"colors": {hex_of(color): value for color, value in own.items()}},
                draw=draw,
            )
        )
    one, other = others[0], near.nearest[others[0]]
    text = (
        f"The masks have {len(near.nearest)} colours, of which {len(others)} differ by little from others, "
        f"as {hex_of(color_of(one))} from {hex_of(color_of(other))}, and no mask has both. Are they the same?"
    )
    return log.ask("near_colors", text, offers) == "same"


def _table(codes: Sequence[int]) -> dict[Color, int]:
    colors = [color_of(code) for code in codes]
    values = {color: value for value, color in enumerate((c for c in colors if c != _BLACK), start=1)}
    return {_BLACK: 0, **values} if _BLACK in colors else values
