"""What the cells of a column of labels say: one label each, or several that a sign parts."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.labels.tables import Cell
from workers.ingest.problems import Offer, ProblemLog, shown

_SURE = "|;"
"""What stands between labels and in none."""
_LIKELY = (",", " ")
"""What may stand within a label, too."""
_SHRINKS = 0.7
"""Labels that a sign parts are fewer than the cells that differ, by this share."""

Parted = Callable[[Cell], tuple[str, ...]]


def parting(cells: Sequence[Cell], options: IngestOptions, log: ProblemLog) -> Parted | None:
    """What parts a cell into labels; None where each is one label. What is open is asked."""
    if any(not isinstance(cell, str) for cell in cells):
        return _by("")
    if options.label_separator is not None:
        return _by(options.label_separator) if options.label_separator else None
    texts = [cell for cell in cells if isinstance(cell, str)]
    for sign in _SURE:
        if any(sign in text for text in texts):
            return _by(sign)
    for sign in _LIKELY:
        if _shrinks(texts, sign) and _asked(texts, sign, log) == "parted":
            return _by(sign)
    return None


def _by(sign: str) -> Parted:
    def parted(cell: Cell) -> tuple[str, ...]:
        parts: Iterable[str] = cell if not isinstance(cell, str) else cell.split(sign) if sign else (cell,)
        return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))

    return parted


def _shrinks(texts: Sequence[str], sign: str) -> bool:
    """Whether the parts recur among the cells, so that they are labels more likely than the cells are."""
    whole = set(texts)
    often = Counter(part.strip() for text in whole for part in text.split(sign) if part.strip())
    has_sign = any(sign in text.strip() for text in whole)
    return has_sign and len(whole) > 2 and len(often) < _SHRINKS * len(whole)


def _asked(texts: Sequence[str], sign: str, log: ProblemLog) -> str:
    whole = Counter(texts)
    parts = Counter(part.strip() for text in texts for part in text.split(sign) if part.strip())
    sign_name = "spaces" if sign == " " else "commas"
    return log.ask(
        "label_separator",
        f"Labels such as {shown(next(text for text in texts if sign in text))!r} have {sign_name} in them.",
        [
            Offer(
                key="parted",
                text=f"they are several labels each: {len(parts)} classes",
                count=len(texts),
                options={"label_separator": sign},
                examples=[f"{shown(name)}: {count} images" for name, count in parts.most_common()],
            ),
            Offer(
                key="whole",
                text=f"they are one label each: {len(whole)} classes",
                count=len(texts),
                options={"label_separator": ""},
                examples=[f"{shown(name)}: {count} images" for name, count in whole.most_common()],
            ),
        ],
    )
