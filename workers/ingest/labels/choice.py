"""Chooses what to read of an upload without masks: a table of labels, or folders that are classes."""

from collections import defaultdict
from dataclasses import replace

from trainyard.datasets.record import IngestOptions
from workers.ingest.items import LabelFormat, LabelledSet, Labels, Source
from workers.ingest.labels.folder_per_class import FolderPerClass
from workers.ingest.labels.label_table import LabelTable, picture_index
from workers.ingest.labels.tool_labels import tool_tables
from workers.ingest.problems import Offer, ProblemLog

_TABLES = LabelTable()
LABEL_FORMATS: tuple[LabelFormat, ...] = (FolderPerClass(), _TABLES)
"""Of two that say the same of the same images, the earlier is read."""

_OF_MASKS = (
    "colors", "ignore_value", "class_masks", "label_map", "objects", "several_masks", "pair_numbers",
    "unmasked", "flat_images", "mask_size", "class_folders", "classes",
)  # fmt: skip
"""Options that speak of masks: with one of them, these are looked for alone."""


def may_have_labels(options: IngestOptions) -> bool:
    """Whether the client has said nothing that is of masks alone."""
    return all(getattr(options, name) is None for name in _OF_MASKS)


def label_format(name: str) -> LabelFormat | None:
    """The format of labels that is called so, if one is."""
    return next((one for one in LABEL_FORMATS if one.name == name), None)


def label_formats(source: Source, *, has_annotations: bool) -> list[LabelFormat]:
    """Those that the upload may be of; where it has annotations of a tool, these alone tell labels."""
    if has_annotations:
        return [_TABLES] if tool_tables(source, picture_index(source)) else []
    return [one for one in LABEL_FORMATS if one.recognises(source)]


def read_labels(
    forms: list[LabelFormat], source: Source, options: IngestOptions, log: ProblemLog
) -> tuple[LabelFormat, LabelledSet | None]:
    """The first of some formats, unless they say different labels and the client means another."""
    first, *others = forms
    own = ProblemLog(options.on_question)
    found = first.read(source, options, own)
    for other in others:
        rival = other.read(source, options, ProblemLog("assume"))
        if found is None or rival is None:
            continue
        if _says_as(found, rival):  # which settles whether folders are classes
            log.guess(f"folders are classes, since {rival.classes} says the same")
            return first, first.read(source, replace(options, format=first.name), log)
        if _asked([(first, found), (other, rival)], log) is other:
            return other, other.read(source, options, log)
    log.adopt(own)
    return first, found


def _says_as(one: LabelledSet, other: LabelledSet) -> bool:
    """Whether both part the same images in the same way, whatever the classes are called."""
    return _parts(one) == _parts(other)


def _parts(found: LabelledSet) -> frozenset[frozenset[str]]:
    parts: defaultdict[tuple[int, ...], set[str]] = defaultdict(set)
    for item in found.items:
        if isinstance(item.truth, Labels):
            parts[item.truth.indices].add(item.image.path)
    return frozenset(map(frozenset, parts.values()))


def _asked(readings: list[tuple[LabelFormat, LabelledSet]], log: ProblemLog) -> LabelFormat:
    ordered = sorted(readings, key=lambda one: -len(one[1].items))
    key = log.ask(
        "label_format",
        "No image has a mask; folders and a table of the upload name different labels.",
        [
            Offer(
                key=form.name,
                text=f"{len(found.items)} images of {len(found.names)} classes: {found.classes}",
                count=len(found.items),
                options={"format": form.name},
                examples=list(found.names),
            )
            for form, found in ordered
        ],
    )
    return next(form for form, _ in readings if form.name == key)
