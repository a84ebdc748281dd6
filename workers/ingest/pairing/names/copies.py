"""Copies that browsers and file managers make: `im0 (1).png` or `Copy of im0.png` beside `im0.png`.

A copy of the same content is no further picture. A mask that is called as a copy and shows something else may
be a later version of the mask, or a further mask of the same image: it is asked.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.items import Read
from workers.ingest.masks.survey import spread
from workers.ingest.paths.layout import Picture, without
from workers.ingest.paths.role_words import Role, names_mask
from workers.ingest.paths.words import words
from workers.ingest.pictures.decode import decode_image
from workers.ingest.problems import Offer, ProblemLog, Refused
from workers.ingest.question_previews import MOST_ROWS, Example, preview

_COPY = "copy|kopie|copia|cópia|copie|kopia|kopi|копия|副本|のコピー|コピー|복사본"
_MARKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<name>.+?)[ _-]*[-–—_ ] ?(?:{_COPY})[ _]?(?:\(?(?P<count>\d+)\)?)?",
        rf"(?P<name>.+?) ?\((?:(?:another|\d+(?:st|nd|rd|th)) )?(?:{_COPY})(?: (?P<count>\d+))?\)",
        r"(?P<name>.+?) ?\((?P<count>\d+)\)",
        r"(?:copy|kopie|copia|copie) (?:\((?P<count>\d+)\) )?(?:of|von|de) (?P<name>.+)",
    )
)


@dataclass(frozen=True)
class _Copy:
    """A picture that is called as a copy of another one, and its number among these."""

    picture: Picture
    original: Picture
    count: int


def without_copies(
    found: Sequence[Picture], options: IngestOptions, read: Read, log: ProblemLog
) -> list[Picture]:
    """The pictures without copies of the same content, and without what the client, or an answer, says is
    no picture of its own."""
    if options.copies == "keep":
        return list(found)
    same = exact_copies(found, options, read, log)
    kept = without(list(found), same)
    left_out = {id(picture) for picture in same}
    others = [
        one for one in _called_copies(found) if id(one.picture) not in left_out and _is_mask(one.picture)
    ]
    versions = [one for one in others if not _has_own(one, kept)]
    if not versions:
        return kept
    count = options.copies or _asked(versions, kept, read, log)
    if count == "last":
        return _of_last(versions, kept)
    return kept if count == "keep" else without(kept, [one.picture for one in versions])


def exact_copies(
    found: Sequence[Picture], options: IngestOptions, read: Read, log: ProblemLog
) -> list[Picture]:
    """The pictures that are copies of others by name and content, which is warned of; none where the client
    keeps these."""
    if options.copies == "keep":
        return []
    same = [one.picture for one in _called_copies(found) if _is_same(one, read)]
    if same:
        log.warning(
            "copies_left_out",
            same[0].member.path,
            f"{len(same)} picture(s) are copies of others, by name and content, and are left out.",
            "Nothing, if that is right; else give them names of their own, or send `copies: keep`.",
        )
    return same


def _called_copies(found: Iterable[Picture]) -> list[_Copy]:
    """The pictures that lie beside one whose name they have but for the sign of a copy."""
    listed = list(found)
    called = [
        (one, said) for one in listed for mark in _MARKS if (said := mark.fullmatch(one.stem)) is not None
    ]
    if not called:  # as in nearly every set, whose names need no comparison then
        return []
    by_name = {_key(one, one.stem): one for one in listed}
    copies: dict[int, _Copy] = {}
    for one, said in called:
        original = by_name.get(_key(one, said["name"]))
        if original is not None and original is not one:
            copies.setdefault(id(one), _Copy(one, original, int(said["count"] or 1)))
    return list(copies.values())


def _key(picture: Picture, stem: str) -> tuple[str, str, str]:
    folder, name = posixpath.split(picture.member.path)
    return folder, stem.casefold(), posixpath.splitext(name)[1].casefold()


def _is_same(copy: _Copy, read: Read) -> bool:
    """Whether a copy has the bytes of its original, or the same pixels."""
    one, other = read(copy.picture.member), read(copy.original.member)
    if one == other:
        return True
    try:
        return np.array_equal(decode_image(one).pixels, decode_image(other).pixels)
    except Refused:
        return False


def _is_mask(picture: Picture) -> bool:
    return picture.role is Role.MASK or names_mask(words(picture.stem))


def _has_own(copy: _Copy, found: Iterable[Picture]) -> bool:
    """Whether another folder has a picture of the same name: its image, which was called so, too."""
    mine = copy.picture
    return any(one.role is not Role.MASK and one.name == mine.name for one in found if one is not mine)


def _of_last(versions: Sequence[_Copy], found: list[Picture]) -> list[Picture]:
    """The pictures, the last version of each in the place of its original."""
    last: dict[str, _Copy] = {}
    for one in sorted(versions, key=lambda one: one.count):
        last[one.original.member.path] = one
    taken = [picture for one in versions for picture in (one.picture, one.original)]
    renamed = [replace(one.picture, stem=one.original.stem) for one in last.values()]
    return [*without(found, taken), *renamed]


def _asked(versions: Sequence[_Copy], found: Iterable[Picture], read: Read, log: ProblemLog) -> str:
    some = spread(versions, MOST_ROWS)
    images = {(one.group, one.name): one.member for one in found if not _is_mask(one)}
    rows = [(images.get((one.original.group, one.original.name)), one) for one in some]
    known = [(image, one) for image, one in rows if image is not None]
    shown: dict[str, list[list[Member]]] = {
        "leave_out": [[one.original.member] for _, one in known],
        "last": [[one.picture.member] for _, one in known],
        "keep": [[one.original.member, one.picture.member] for _, one in known],
    }
    texts = {
        "leave_out": "the masks without such a sign count",
        "last": "the last copy of each counts, in the place of the mask without such a sign",
        "keep": "they are further masks of the same images",
    }
    offers = [
        Offer(
            key=key,
            text=text,
            count=len(versions),
            options={"copies": key},
            examples=[one.picture.member.path for one in versions],
            draw=preview(
                read,
                [
                    Example(image=image, masks=masks, joined=True)
                    for (image, _), masks in zip(known, shown[key], strict=True)
                ],
            )
            if known
            else None,
        )
        for key, text in texts.items()
    ]
    first = versions[0]
    return log.ask(
        "copies",
        f"{len(versions)} mask(s) are called as copies of others and show something else, such as "
        f"{first.picture.member.path} beside {first.original.member.path}.",
        offers,
    )
