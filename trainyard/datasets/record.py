"""The data set record and what ingest finds out about a set."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Task = Literal["multiclass", "multilabel"]
"""Whether each pixel, or image, has one class, or may have several or none."""

Kind = Literal["masks", "labels", "boxes", "outlines"]
"""What a set knows of its images, and tasks learn: the classes of their pixels, or those of whole images;
where objects are, and of what class; and which pixels each has. There are `outlines` beside `boxes` only."""

BoxForm = Literal["xywh", "xyxy", "cxcywh"]
"""What four numbers of a box are: left, top, width and height; two corners; or centre, width and height."""

MASKS: tuple[Kind, ...] = ("masks",)
"""The kinds of sets from before there were others."""


OnQuestion = Literal["ask", "assume", "fail"]

SplitsFrom = Literal[
    "furthest", "lists", "folders", "folder_words", "lower_trains", "higher_trains", "as_told", "draw"
]


class DatasetStatus(StrEnum):
    """queued -> ingesting -> ready | question | failed; answers to its questions queue it again."""

    QUEUED = "queued"
    INGESTING = "ingesting"
    READY = "ready"
    QUESTION = "question"
    FAILED = "failed"


UNREAD = frozenset({DatasetStatus.QUEUED, DatasetStatus.INGESTING})
"""Of a set that waits for its ingest, or is ingested."""

PICTURES = "pictures"
"""The format of images with masks that are pictures."""


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """What the client said about the upload.

    `format` names a reader, None finds it out. `classes` maps mask values to names; None finds the values
    out. `colors` maps colours, `#rrggbb`, to mask values. `ignore_value` is the mask value that counts as no
    class. `images` and `masks` are patterns of the paths of pictures, `class_masks` patterns of masks that
    show one class each, by its name; without them roles are found out. Where annotations name their images,
    `images` says which pictures these may be, and what fits `masks` is none of them. `label_map` replaces
    mask values, None makes them ignored.

    `objects` says whether mask values are classes, or ids of objects of one class; `several_masks`
    whether several masks of one image are parts of one mask, or one class each; `pair_numbers` whether
    equal numbers in the names of images and masks belong together, or two of them are exchanged, or masks
    are counted from another number, so that equal places do, or a list pairs them; `copies` what becomes
    of masks that are called as copies of others; `unmasked` whether an image without a mask is all
    background or left out; `flat_images` whether a few flat images among photographs are images;
    `mask_size` whether a mask of its image's proportions and another size is resampled or refused;
    `class_folders` whether the folders that images lie in name the class of what their masks show. With
    None it is found out, or asked.

    Of images with labels, `label_depth` says which of the folders that differ names the class, counted from
    1, the outermost; `label_columns` which columns of a table are labels: one that names them, or several
    with 0 and 1 for a class each; `label_separator` what parts the labels in a cell, empty where a cell is
    one label; `labels` whether an image has one label, and is left out where a table gives it more, or
    several.

    `box_form` says what the numbers of boxes are in files that have nothing else to tell it by.

    `on_question` says what becomes of a question that the files leave open: it is asked, the likeliest
    reading is assumed, or the ingest fails.

    `order` says which of overlapping regions is seen (`area`: the smaller, `file`: the later), `crowd` what
    becomes of COCO's crowd regions. `max_side` caps the longer side of prepared images, in pixels.
    `names_encoding` is that of file names which the archive does not mark, None finds it out.

    The split: `splits` lists image names per split; else folders and lists of the upload, of which
    `splits_from` says what counts where they disagree or leave something open, and the pattern `split_lists`
    which of its lists count; else `val_fraction` is drawn
    by `seed`. `folds` shares out what trains and validates over so many folds besides, of which a run may
    choose one to validate with. `max_images_per_class` leaves images out of each split where all their
    classes have so many: one number, or one for each class that it names.
    """

    format: str | None = None
    classes: dict[int, str] | None = None
    colors: dict[str, int] | None = None
    ignore_value: int | None = None
    images: str | None = None
    masks: str | None = None
    class_masks: dict[str, str] | None = None
    label_map: dict[int, int | None] | None = None
    objects: Literal["classes", "one_class"] | None = None
    several_masks: Literal["union", "classes"] | None = None
    pair_numbers: Literal["equal", "exchanged", "in_order", "listed"] | None = None
    copies: Literal["leave_out", "last", "keep"] | None = None
    unmasked: Literal["background", "leave_out"] | None = None
    flat_images: Literal["use", "leave_out"] | None = None
    mask_size: Literal["resample", "refuse"] | None = None
    class_folders: Literal["classes", "ignore"] | None = None
    label_depth: int | None = None
    label_columns: list[str] | None = None
    label_separator: str | None = None
    labels: Literal["one", "several"] | None = None
    box_form: BoxForm | None = None
    on_question: OnQuestion = "ask"
    order: Literal["area", "file"] = "area"
    crowd: Literal["ignore", "label"] = "ignore"
    max_side: int | None = None
    splits: dict[str, list[str]] | None = None
    splits_from: SplitsFrom | None = None
    split_lists: str | None = None
    folds: int | None = None
    val_fraction: float = 0.2
    seed: int = 0
    max_images_per_class: int | dict[str, int] | None = None
    names_encoding: str | None = None

    @property
    def reader(self) -> str | None:
        """The format that is named, or that of pictures where some are said to be masks; else None.

        `images` alone implies none: it restricts whatever format is found.
        """
        of_pictures = (self.masks, self.class_masks) != (None, None)
        return self.format or (PICTURES if of_pictures else None)


@dataclass(frozen=True, kw_only=True)
class ClassInfo:
    """One class: its index in prepared masks, its value in the masks as sent, and how much of it there is.

    In a multilabel set `index` is its bit. `share` is the part of all labelled pixels, 0 to 1; the shares of
    a multilabel set may add up to more than 1. `images` counts images in which it occurs. Where images have
    labels, `pixels` counts images, too, and `share` is the part of all labels; `value` is the index.
    """

    index: int
    name: str
    value: int
    color: tuple[int, int, int]
    pixels: int
    share: float
    images: int


@dataclass(frozen=True, kw_only=True)
class ObjectClass:
    """A class that objects have: its index among these, its value as sent, and how many there are of it.

    `objects` are those that are no crowd, `images` those in which it has such.
    """

    index: int
    name: str
    value: int
    color: tuple[int, int, int]
    objects: int
    images: int


@dataclass(frozen=True, kw_only=True)
class ObjectSummary:
    """The objects of a set with boxes: `count` without the `crowds`, which nobody has told apart.

    They are in `images` of the set, at `most` so many in one. `sizes` counts boxes of images as prepared as
    COCO parts them: `small` below 32 x 32 pixels, `large` from 96 x 96 on, `medium` between.
    """

    count: int
    crowds: int
    images: int
    most: int
    sizes: dict[str, int]
    classes: tuple[ObjectClass, ...]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One kind of thing that is wrong with the set; an `error` keeps it from training, a `warning` does not.

    It was found `count` times: `file`, `message` and `remedy` are of the first, `examples` of the first few,
    as files, or as `file: message` where messages differ.
    """

    severity: Literal["error", "warning"]
    code: str
    file: str | None
    message: str
    remedy: str
    count: int = 1
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One reading that fits a question: `count` images or masks are read by it, such as `examples`.

    `options` are the options, in the form of a request, that settle the question on it. `preview` says
    whether a picture shows it.
    """

    key: str
    text: str
    count: int
    options: dict[str, Any]
    examples: tuple[str, ...] = ()
    preview: bool = False


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the files of a set leave open; its `choices` are the readings that fit, the likeliest first."""

    code: str
    text: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class Interpretation:
    """How a set was read: its format, how images found their masks, and where classes and splits came from.

    `guesses` are what was concluded and nothing contradicts, though the files do not say it.
    """

    format: str
    pairs: str
    classes: str
    splits: str
    guesses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DatasetSummary:
    """What ingest found. `sizes` counts images per "WIDTHxHEIGHT"; `mean` and `std` are of RGB in 0 to 1.

    `task` says whether pixels have one class each; in a multilabel set none is ignored. `folds` counts those
    of a cross-validation, which the options or the upload have told; None without, and in records of before
    they were counted, where `IngestOptions.folds` tells them. `reading` is None in records of before it was
    kept. `kinds` are those of its annotations, the one that these are made for first; with `boxes` there are
    `objects`.
    """

    content_hash: str
    images: int
    splits: dict[str, int]
    classes: tuple[ClassInfo, ...]
    ignore_share: float
    sizes: dict[str, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    task: Task = "multiclass"
    kinds: tuple[Kind, ...] = MASKS
    objects: ObjectSummary | None = None
    folds: int | None = None
    reading: Interpretation | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetVersion:
    """What one ingest made of the upload. It never changes: runs train from the folder of its content.

    `version` counts from 1; `created_at` is in seconds since 1970, UTC.
    """

    version: int
    content_hash: str
    created_at: float
    images: int
    splits: dict[str, int]
    label_map: dict[int, int | None] | None = None


@dataclass(frozen=True, kw_only=True)
class RefusedChange:
    """A change of options whose ingest failed while an earlier version stays in use, and why it failed.

    With `questions`, it waits for their answers.
    """

    options: IngestOptions
    error: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()
    proposed_label_map: dict[int, int | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The record of a data set; times are seconds since 1970, UTC.

    `incoming` is the path below the data root that is read in place of an upload; so are the paths of
    `parts`, by the names that they have at the top of the set, of whose files `files_digest` tells when they
    are read. `annotation_name` is the client's name of the annotation file. `version` is the number of the
    version in use, None before the first; `options`, `summary` and `problems` are of that version. `change`
    holds options that wait for their ingest while it stays in use, `refused_change` those that the latest
    ingest refused. `questions` are what a set of the status `question` waits for. `label_map` and
    `proposed_label_map` are keyed by mask values.
    `last_owner` is the worker whose ingest was lost or broke last. `trace_parent` is the span of the request
    that made it, where requests are traced (`tracing.py`).
    `request` is the fingerprint of the request that made the set, where that had an Idempotency-Key.
    """

    id: str
    name: str
    project: str
    status: DatasetStatus = field(default=DatasetStatus.QUEUED, metadata={"by_value": True})
    revision: int = 0
    queue: str = "ingest"
    priority: int = 0
    fence: int = 0
    crashes: int = 0
    owner: str | None = None
    last_owner: str | None = None
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    options: IngestOptions = field(default_factory=IngestOptions)
    upload_bytes: int = 0
    annotation_name: str | None = None
    incoming: str | None = None
    parts: dict[str, str] | None = None
    files_digest: str | None = None
    images_done: int = 0
    images_total: int | None = None
    version: int | None = None
    versions: tuple[DatasetVersion, ...] = ()
    summary: DatasetSummary | None = None
    problems: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()
    proposed_label_map: dict[int, int | None] | None = None
    change: IngestOptions | None = None
    refused_change: RefusedChange | None = None
    trace_parent: str | None = None
    error: dict[str, Any] | None = None
    request: str | None = None
