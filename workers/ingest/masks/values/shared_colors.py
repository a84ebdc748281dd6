"""Palettes that show one colour at several indices: whether the indices are classes, or the colours."""

from collections.abc import Mapping, Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.items import Color, Read
from workers.ingest.pictures.mask_files import WHITE
from workers.ingest.problems import Offer, ProblemLog
from workers.ingest.question_previews import MOST_ROWS, Example, preview

_Couples = Sequence[tuple[Member, Member]]


def indices_count(
    shown: Mapping[int, Color],
    couples: _Couples,
    *,
    named: int,
    options: IngestOptions,
    read: Read,
    log: ProblemLog,
) -> bool:
    """Whether the indices count, as the number of classes that are `named` says, else asked. `shown` are the
    colours of the indices that masks use, `couples` images with their masks."""
    indices, colors = len(shown.keys() - {0}), len(set(shown.values()) - {shown.get(0)})
    if (options.classes is not None and shown.keys() <= options.classes.keys()) or named == indices:
        log.guess(
            "palettes of masks show one colour at several indices, which are classes: so many are named"
        )
        return True
    if named == colors:
        log.guess(
            "palettes of masks show one colour at several indices, which are one class: so many are named"
        )
        return False
    first: dict[Color, int] = {}
    for index in sorted(shown):
        first.setdefault(shown[index], index)
    same = {index: first[color] for index, color in shown.items()}
    names = {str(index): _name(index) for index in sorted(shown) if index != WHITE}
    colored: dict[str, object] = {"colors": {_hex(color): value for color, value in first.items()}}
    ways = (
        ("colors", f"what has one colour is one class: {len(first)} classes", colored, same),
        ("indices", f"each index is a class: {len(shown)} classes", {"classes": names}, None),
    )
    offers = [
        Offer(
            key=key,
            text=text,
            count=len(couples),
            options=settled,
            examples=[mask.path for _, mask in couples],
            draw=preview(read, _examples(couples, values)),
        )
        for key, text, settled, values in ways
    ]
    twice = next(color for color in shown.values() if list(shown.values()).count(color) > 1)
    alike = ", ".join(str(index) for index, color in shown.items() if color == twice)
    text = f"Palettes of masks show one colour at several indices: {_hex(twice)} at {alike}."
    return log.ask("palette_indices", text, offers) == "indices"


def _examples(couples: _Couples, values: Mapping[int, int] | None) -> list[Example]:
    return [Example(image=image, masks=[mask], values=values) for image, mask in couples[:MOST_ROWS]]


def _hex(color: Color) -> str:
    return "#" + bytes(color).hex()


def _name(index: int) -> str:
    return f"class_{index}" if index else "background"
