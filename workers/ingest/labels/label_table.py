"""Reads sets whose tables name the labels of images: CSV, TSV, text in columns, lines of JSON, and exports of
tools."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trainyard.datasets.record import IngestOptions, Task
from workers.ingest.archive import Member
from workers.ingest.classes.files.classes_file import read_classes_files
from workers.ingest.items import Item, LabelledSet, Labels, Source
from workers.ingest.labels.cell_labels import parting
from workers.ingest.labels.image_choice import chosen_images, item_names
from workers.ingest.labels.label_columns import SET_FLAGS, LabelColumns, denied_rows, label_columns
from workers.ingest.labels.label_names import in_order
from workers.ingest.labels.tables import Table, tables
from workers.ingest.labels.tool_labels import tool_tables
from workers.ingest.paths.index import PathIndex
from workers.ingest.problems import Offer, ProblemLog, Refused, shown

_EXAMPLES = 5


@dataclass
class _Said:
    """What tables say: the labels of each image by its path, with the table that says so."""

    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    columns: LabelColumns | None = None
    is_parted: bool = False


class LabelTable:
    """A LabelFormat."""

    name = "label_table"

    def recognises(self, source: Source) -> bool:
        """See `LabelFormat.recognises`: a table has a column that names pictures and one that may label."""
        log = ProblemLog("assume")
        found = _tables(source, picture_index(source))
        return any(label_columns(one, IngestOptions(), log) for one in found)

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> LabelledSet | None:
        """See `LabelFormat.read`."""
        try:
            images = {image.path: image for image in chosen_images(source, options.images)}
            said = _said(_tables(source, PathIndex(images)), images, options, log)
            if said.columns is None or log.is_blocked():
                if not log.is_blocked():
                    _report_none(log)
                return None
            task = _task(said, options, log)
        except Refused as refusal:
            log.refused(None, refusal)
            return None
        kept = {path: own for path, own in said.labels.items() if task == "multilabel" or len(own) == 1}
        _report_bare(images, said, kept, log)
        labels = {label for own in kept.values() for label in own}
        columns = said.columns
        names = columns.heads if columns.are_flags else in_order(labels)
        index = {name: place for place, name in enumerate(names)}
        called = item_names(list(kept))
        items = [
            Item(
                name=called[path],
                image=images[path],
                truth=Labels(file=said.tables[path], indices=tuple(sorted(index[one] for one in own))),
            )
            for path, own in sorted(kept.items())
        ]
        shown_names, origin = _class_names(names, source, columns, log)
        return LabelledSet(
            items=items,
            names=shown_names,
            task=task,
            pairs=f"rows of {', '.join(shown(path) for path in said.used[:_EXAMPLES])} name each image",
            classes=origin,
        )


def picture_index(source: Source) -> PathIndex:
    """The pictures of an upload."""
    return PathIndex([image.path for image in chosen_images(source, None)])


def _tables(source: Source, index: PathIndex) -> list[Table]:
    """The exports of tools, else plain tables."""
    return tool_tables(source, index) or tables(source, index)


def _said(
    found: Sequence[Table], images: Mapping[str, Member], options: IngestOptions, log: ProblemLog
) -> _Said:
    """What the tables say that have the columns of the first one with labels."""
    index = PathIndex(images)
    said = _Said()
    rows: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for table in found:
        columns = _columns(table, said.columns, options, log)
        if columns is None or log.is_blocked():
            continue
        said.columns = columns
        said.used.append(table.path)
        lost = []
        denied = denied_rows(table)
        if denied:
            log.guess(f"rows of {shown(table.path)} with a confidence of 0 say what is not in an image")
        of_rows = _labels(table, columns, said, options, log)
        for number, (cells, labels) in enumerate(zip(table.rows, of_rows, strict=True)):
            entry = str(cells[table.files])
            match = index.find(entry, table.path)
            if len(match.paths) != 1:
                lost.append(entry)
                continue
            rows[match.paths[0]].append(() if number in denied else labels)
            said.tables.setdefault(match.paths[0], table.path)
        _report_lost(table, lost, log)
    said.labels = {
        path: tuple(dict.fromkeys(one for own in some for one in own)) for path, some in rows.items()
    }
    return said


def _columns(
    table: Table, known: LabelColumns | None, options: IngestOptions, log: ProblemLog
) -> LabelColumns | None:
    """The columns of labels of a table: those of an earlier one, where it has them; None without."""
    if known is not None:
        return known if set(known.heads) <= set(table.heads) else None
    return label_columns(table, options, log)


def _labels(
    table: Table, columns: LabelColumns, said: _Said, options: IngestOptions, log: ProblemLog
) -> list[tuple[str, ...]]:
    """The labels of each row."""
    places = [table.heads.index(head) for head in columns.heads]
    if columns.are_flags:
        return [
            tuple(
                head
                for head, place in zip(columns.heads, places, strict=True)
                if str(row[place]).strip().casefold() in SET_FLAGS
            )
            for row in table.rows
        ]
    cells = table.column(places[0])
    parted = parting(cells, options, log)
    if parted is not None:
        said.is_parted = True
        return [parted(cell) for cell in cells]
    return [(str(cell).strip(),) if str(cell).strip() else () for cell in cells]


def _task(said: _Said, options: IngestOptions, log: ProblemLog) -> Task:
    """Multilabel where images have several labels; what is open is asked."""
    several = [path for path, own in said.labels.items() if len(own) > 1]
    bare = [path for path, own in said.labels.items() if not own]
    columns = said.columns
    if options.labels is not None:
        return "multilabel" if options.labels == "several" else "multiclass"
    if columns is not None and columns.are_flags:
        return "multilabel" if several or bare else "multiclass"
    if said.is_parted and not several and not bare:
        log.guess("each image has one label, since the lists of all of them have one")
        return "multiclass"
    if said.is_parted or not several:
        return "multilabel" if said.is_parted else "multiclass"
    text = f"{len(several)} of {len(said.labels)} images have several labels, such as {shown(several[0])}."
    offers = [
        Offer(
            key="several",
            text="images may have several labels",
            count=len(said.labels),
            options={"labels": "several"},
        ),
        Offer(
            key="one",
            text="each image has one label; those with several are left out",
            count=len(said.labels) - len(several),
            options={"labels": "one"},
            examples=several,
        ),
    ]
    return "multilabel" if log.ask("labels", text, offers) == "several" else "multiclass"


def _class_names(
    names: Sequence[str], source: Source, columns: LabelColumns, log: ProblemLog
) -> tuple[tuple[str, ...], str]:
    """Names of classes, and where they come from: a file of names says what numbers stand for."""
    origin = (
        f"the column{'s' if columns.are_flags else ''} {', '.join(map(shown, columns.heads[:_EXAMPLES]))}"
    )
    if not all(name.isdecimal() for name in names):
        return tuple(names), origin
    values = [int(name) for name in names]
    for file in read_classes_files(source, log):
        listed = file.said.names or dict(enumerate(file.said.listed))
        if listed and set(values) <= set(listed) and len({listed[value] for value in values}) == len(values):
            return tuple(listed[value] for value in values), f"the names in {file.path}"
    return tuple(names), origin


def _report_none(log: ProblemLog) -> None:
    log.error(
        "no_labels",
        None,
        "No table of the upload names its pictures and has a column of labels beside them.",
        "Send a CSV file with a column of files and one called `label`, or name that in `label_columns`.",
    )


def _report_lost(table: Table, lost: Sequence[str], log: ProblemLog) -> None:
    if lost:
        log.warning(
            "image_missing",
            table.path,
            f"{len(lost)} of {len(table.rows)} rows name no picture of the upload, or several: "
            f"{', '.join(shown(one) for one in lost[:_EXAMPLES])}.",
            "Add these pictures, write their folders too, or take the rows out.",
        )


def _report_bare(
    images: Mapping[str, Member], said: _Said, kept: Mapping[str, tuple[str, ...]], log: ProblemLog
) -> None:
    for path in images:
        if path in kept:
            continue
        several = len(said.labels.get(path, ())) > 1
        log.warning(
            "image_with_several_labels" if several else "image_without_label",
            path,
            "The image has several labels and is left out."
            if several
            else "No row gives the image a label: it is left out.",
            "Send the set with `labels: several`, or leave one label."
            if several
            else "Nothing, if it is only to be predicted; else add a row for it.",
        )
