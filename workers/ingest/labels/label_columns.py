"""Which columns of a table say what is in its images."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trainyard.datasets.record import IngestOptions
from workers.ingest.labels.tables import Cell, Table
from workers.ingest.problems import Offer, ProblemLog, Refused, shown
from workers.ingest.splits.lists.fold_names import FOLD_HEADS
from workers.ingest.splits.lists.list_rows import SPLIT_HEADS, heading_words, known_split

_LABEL_HEADS = frozenset(
    (
        "label", "labels", "class", "classes", "classname", "category", "categories", "target", "targets",
        "species", "breed", "diagnosis", "dx", "tag", "tags", "finding", "findings", "genus", "grade",
        "y", "disease",
    )
)  # fmt: skip
_BESIDE = frozenset(("id", "ids", "name", "names", "index", "idx", "code", "number", "text", "truth", "true"))
"""Words that may stand beside these in a heading."""
_NO_LABELS = frozenset(
    (
        "id",
        "index",
        "idx",
        "width",
        "height",
        "size",
        "url",
        "md5",
        "sha256",
        "date",
        "fold",
        "confidence",
        "source",
    )
)
"""Words of headings of columns that say something else, where no word of labels is beside."""
_FLAGS = frozenset(("-1", "0", "1", "0.0", "1.0", "true", "false"))
SET_FLAGS = frozenset(("1", "1.0", "true"))
"""What says in a column of flags that an image has the class."""
_CONFIDENCE = frozenset(("confidence",))
_NONE = frozenset(("0", "0.0"))
_MOST_SHARE = 0.5
_FEW_ROWS = 20
_MOST_OFFERS = 10


@dataclass(frozen=True)
class LabelColumns:
    """The headings of columns: one whose cells are labels, or several of flags, one for each class."""

    heads: tuple[str, ...]

    @property
    def are_flags(self) -> bool:
        return len(self.heads) > 1


def label_columns(table: Table, options: IngestOptions, log: ProblemLog) -> LabelColumns | None:
    """Which columns these are; None where there are none. What is open is asked.

    Raises Refused for a heading of the client's that the table lacks.
    """
    if options.label_columns is not None:
        return _named(table, options.label_columns)
    candidates = [place for place in range(len(table.heads)) if _may_label(table, place)]
    flags = [place for place in candidates if _are_flags(table.column(place))]
    distinct = _without_doubles(table, [place for place in candidates if place not in flags])
    named = [place for place in distinct if _is_label_head(table.heads[place])]
    if len(named) == 1:
        return LabelColumns((table.heads[named[0]],))
    if not named and len(flags) > 1 and not distinct:
        return LabelColumns(tuple(table.heads[place] for place in flags))
    lone = [*distinct, *flags]
    if not named and len(lone) == 1:
        head = table.heads[lone[0]]
        log.guess(f"the column {shown(head)} of {shown(table.path)} has the labels, since no other may")
        return LabelColumns((head,))
    if not lone:
        return None
    return _asked(table, [*named, *(place for place in distinct if place not in named)], flags, log)


def denied_rows(table: Table) -> set[int]:
    """The places of rows that say what is not there: with a confidence of 0, as Open Images verifies labels
    (https://storage.googleapis.com/openimages/web/factsfigures_v7.html)."""
    told = [place for place, head in enumerate(table.heads) if heading_words(head) & _CONFIDENCE]
    return {
        number
        for place in told
        for number, cell in enumerate(table.column(place))
        if isinstance(cell, str) and cell.strip() in _NONE
    }


def _named(table: Table, heads: Sequence[str]) -> LabelColumns:
    absent = [head for head in heads if head not in table.heads]
    if absent:
        raise Refused(
            "label_column_absent",
            f"{shown(table.path)} has no column {shown(absent[0])!r}; it has "
            f"{', '.join(shown(head) for head in table.heads)}.",
            "Name one of these in `label_columns`; without headings columns are numbered from 1.",
        )
    return LabelColumns(tuple(heads))


def _may_label(table: Table, place: int) -> bool:
    """Whether cells of a column may be labels: not where it names images, splits, or all differ."""
    if place == table.files:
        return False
    head, cells = table.heads[place], table.column(place)
    said = heading_words(head)
    if said & (SPLIT_HEADS | FOLD_HEADS) or all(known_split(_joined(cell)) for cell in cells):
        return False
    if _is_label_head(head):
        return True
    values = Counter(_joined(cell) for cell in cells)
    if len(values) == 1 or said & _NO_LABELS or _is_measure(list(values)):
        return False
    return set(values) <= _FLAGS or len(values) <= _most_values(len(cells))


def _most_values(rows: int) -> int:
    """More different values than these are names or remarks, and no labels."""
    return rows - 1 if rows <= _FEW_ROWS else int(_MOST_SHARE * rows)


def _is_label_head(head: str) -> bool:
    said = heading_words(head)
    return bool(said & _LABEL_HEADS) and said <= _LABEL_HEADS | _BESIDE


def _is_measure(values: Sequence[str]) -> bool:
    """Whether values are numbers with fractions that are no flags."""
    return any(
        "." in value and value.replace(".", "", 1).lstrip("-").isdecimal() for value in values
    ) and not (set(values) <= _FLAGS)


def _are_flags(cells: Sequence[Cell]) -> bool:
    values = {_joined(cell).casefold() for cell in cells}
    return values <= _FLAGS and bool(values)


def _without_doubles(table: Table, places: Sequence[int]) -> list[int]:
    """The columns without those that say the same as another: of a number and a name, the name is kept."""
    kept: list[int] = []
    for place in sorted(places, key=lambda one: (_is_numeric(table.column(one)), one)):
        if not any(_says_same(table.column(place), table.column(other)) for other in kept):
            kept.append(place)
    return sorted(kept)


def _is_numeric(cells: Sequence[Cell]) -> bool:
    return all(_joined(cell).isdecimal() for cell in cells)


def _says_same(one: Sequence[Cell], other: Sequence[Cell]) -> bool:
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len(set(one)) == len(set(other))


def _asked(table: Table, places: Sequence[int], flags: Sequence[int], log: ProblemLog) -> LabelColumns:
    offers = []
    for place in places[:_MOST_OFFERS]:
        counts = Counter(_joined(cell) for cell in table.column(place))
        offers.append(
            Offer(
                key=table.heads[place],
                text=f"the column {shown(table.heads[place])}: {len(counts)} values",
                count=len(counts),
                options={"label_columns": [table.heads[place]]},
                examples=[f"{shown(value)}: {count} images" for value, count in counts.most_common()],
            )
        )
    if flags:
        heads = [table.heads[place] for place in flags]
        offers.append(
            Offer(
                key="flags",
                text=f"the columns {', '.join(map(shown, heads[:_MOST_OFFERS]))} of 0 and 1: each is a class",
                count=len(heads),
                options={"label_columns": heads},
                examples=heads,
            )
        )
    key = log.ask(
        "label_columns", f"Several columns of {shown(table.path)} may be the labels of its images.", offers
    )
    chosen = next(offer for offer in offers if offer.key == key)
    return LabelColumns(tuple(chosen.options["label_columns"]))


def _joined(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else ", ".join(cell)
