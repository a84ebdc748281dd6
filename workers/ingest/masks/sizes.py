"""Masks of another size than their image's: found by their headers before pixels are read, and settled."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.items import Read
from workers.ingest.masks.objects.object_question import Couples
from workers.ingest.masks.survey import spread
from workers.ingest.pictures.mask_files import any_header
from workers.ingest.pictures.mask_fit import same_proportions
from workers.ingest.problems import Offer, ProblemLog, Refused
from workers.ingest.question_previews import MOST_ROWS, Example, preview
from workers.ingest.raster.shrink import Size

_LOOKED_AT = 16
"""Couples of a set whose sizes are looked at first: of most sets, all masks have the size of their image."""

_MOST = 0.5
"""The share of masks, all of their image's proportions, from which on another size is no slip."""


@dataclass(frozen=True, kw_only=True)
class _Other:
    """A couple whose sizes differ, and whether their proportions are the same."""

    couple: tuple[Member, Member]
    mask_size: Size
    image_size: Size
    is_scaled: bool


def settle_sizes(
    couples: Couples, read: Read, options: IngestOptions, log: ProblemLog
) -> tuple[bool, set[str]]:
    """Whether to resample masks, and the paths of masks that are left out; a question where that is open.

    A few masks of another size are no question: they are refused when they are read. Raises Refused where
    no mask would be left.
    """
    if options.mask_size == "resample":
        return True, set()
    asked = options.mask_size is None
    if asked and not any(one.is_scaled for one in _others(spread(couples, _LOOKED_AT), read)):
        return False, set()
    others = _others(couples, read)
    scaled = [one for one in others if one.is_scaled]
    if not asked:
        _leave_out(others, len(couples), log)
        return False, {one.couple[1].path for one in others}
    if len(scaled) < _MOST * len(couples):
        return False, set()
    key = _ask(scaled, len(others), couples, read, log)
    return key == "resample", set()


def _ask(scaled: Sequence[_Other], others: int, couples: Couples, read: Read, log: ProblemLog) -> str:
    first = scaled[0]
    rows = spread([one.couple for one in scaled], MOST_ROWS)
    offers = [
        Offer(
            key="resample",
            text="Each mask shows its whole image: it is brought to the image's size, each pixel taking the "
            "value of the nearest.",
            count=len(scaled),
            options={"mask_size": "resample"},
            examples=[one.couple[1].path for one in scaled],
            draw=preview(read, [Example(image=image, masks=[mask]) for image, mask in rows]),
        )
    ]
    fitting = len(couples) - others
    if fitting:
        offers.append(
            Offer(
                key="refuse",
                text=f"Masks of another size are wrong: they are left out, and {fitting} image(s) stay.",
                count=fitting,
                options={"mask_size": "refuse"},
            )
        )
    return log.ask(
        "mask_size",
        f"{len(scaled)} of {len(couples)} masks have their image's proportions and another size, as "
        f"{first.couple[1].path}, {_told(first.mask_size)} for an image of {_told(first.image_size)} pixels: "
        "are they to be resampled?",
        offers,
    )


def _leave_out(others: Sequence[_Other], total: int, log: ProblemLog) -> None:
    if others and len(others) == total:
        first = others[0]
        raise Refused(
            "mask_size",
            f"No mask has the size of its image: {first.couple[1].path} is {_told(first.mask_size)}, its "
            f"image {_told(first.image_size)} pixels.",
            "Send `mask_size: resample`, or save masks at the size of their images.",
        )
    for one in others:
        log.warning(
            "mask_size_left_out",
            one.couple[1].path,
            f"The mask is {_told(one.mask_size)} and its image {_told(one.image_size)} pixels: both are left "
            "out.",
            "Nothing, if that is meant; else send `mask_size: resample`.",
        )


def _others(couples: Couples, read: Read) -> list[_Other]:
    """The couples whose sizes differ, whichever way the image is turned."""
    found = []
    for image, mask in couples:
        try:
            image_size, mask_size = any_header(read(image)).size, any_header(read(mask)).size
        except Refused:
            continue
        ways = (image_size, image_size[::-1])
        if mask_size not in ways:
            found.append(
                _Other(
                    couple=(image, mask),
                    mask_size=mask_size,
                    image_size=image_size,
                    is_scaled=any(same_proportions(mask_size, way) for way in ways),
                )
            )
    return found


def _told(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
