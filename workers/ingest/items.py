"""What every format of annotations is read into, and what a reader of one must offer.

A reader turns the files of an upload into items: an image each, with a truth that can be rasterized as a mask
once the image is decoded. Readers never touch pixels of images; they name the file of whatever is wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from trainyard.datasets.record import MASKS, IngestOptions, Kind, Task
from workers.ingest.archive import Member
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.problems import ProblemLog
from workers.ingest.raster.color_modes import Note
from workers.prepared.version import Objects, Uint8

Read = Callable[[Member], bytes]
"""Gives the bytes of a member; raises Refused where it is damaged."""

Color = tuple[int, int, int]


class Files(Protocol):
    """Files, wherever they lie: in a zip, a tar, a folder in storage."""

    @property
    def members(self) -> Sequence[Member]:
        """The files worth looking at, by path."""

    def read(self, member: Member) -> bytes:
        """The bytes of a file; raises Refused."""

    def open(self, member: Member) -> BinaryIO:
        """The file, to be read in pieces: as many bytes as the member declares, or a read raises Refused.

        This raises Refused, too, where the file cannot be opened.
        """


class Source(Files, Protocol):
    """The files of an upload."""

    @property
    def scratch(self) -> Path:
        """The folder of the set, for what a reader puts aside on disk: as large as the upload, perhaps."""


class Truth(Protocol):
    """What is known of an image's pixels. It is plain data, so that it can go to another process."""

    @property
    def file(self) -> str:
        """The file that problems of this truth name."""

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """The mask as displayed, (H, W) uint8 of the values that the set's classes name; with its planes,
        (H, W, P), where the set's masks have several.

        It has as many rows and columns as the image's pixels: fewer than its size where that was made
        smaller while it was read. Raises Refused where it cannot be rasterized on this image.
        """


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ImageObjects:
    """The objects of an image as prepared; their classes are still mask values.

    `outlines` has the compressed runs of each, where these are asked for. `lost` counts objects that were
    left out since they have no area in the image; `notes` say what is wrong.
    """

    objects: Objects
    outlines: tuple[bytes, ...]
    lost: int
    notes: tuple[Note, ...]


@runtime_checkable
class ObjectsTruth(Truth, Protocol):
    """A truth that tells objects apart. `size` is that of the prepared image, width and height.

    All raise Refused as `Truth.rasterize` does.
    """

    def boxes(self, read: Read, image: DecodedImage, size: tuple[int, int]) -> ImageObjects:
        """The objects without their outlines."""

    def outlines(self, read: Read, image: DecodedImage, size: tuple[int, int]) -> ImageObjects:
        """The objects with their outlines."""

    def instances(self, read: Read, image: DecodedImage, size: tuple[int, int]) -> tuple[Uint8, ImageObjects]:
        """The mask as `Truth.rasterize` gives it, and the objects with their outlines, each drawn once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """The classes of a whole image, by their places in the names of its set; `file` says so."""

    file: str
    indices: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One image of a set; `name` is unique in it.

    `split` is train, val, test or None, as annotations say it. What paths say is found later (`told_splits`):
    those of the image, of the truth, and `referenced`, by which annotations call the image. `fold` is the
    fold in which it validates, from 0, None where the upload tells no folds.

    Where the picture lies inside the file of its annotation, `image` is that file and `unpack` gets the
    picture out of its bytes, or raises Refused: the pictures of a whole set would not fit in memory.
    `unpack` is None where `image` is the picture itself.
    """

    name: str
    image: Member
    truth: Truth | Labels
    split: str | None = None
    fold: int | None = None
    unpack: Callable[[bytes], bytes] | None = None
    referenced: str = ""


@dataclass(frozen=True, kw_only=True)
class OtherNames:
    """What a further file says of a set's classes: names by mask value, or `listed` in order."""

    names: Mapping[int, str]
    listed: tuple[str, ...]
    file: str


@dataclass(frozen=True, kw_only=True)
class FoundSet:
    """All items of an upload.

    `names` maps mask values, 0 to 254, to the names of classes where the format says them, else None: then
    the masks' values tell. `listed` are names in order whose values are not said, of the file `listed_in`;
    `others` are what further files name.
    `ignore_value` marks pixels of no class. With `objects`, all values but 0 and, of no class, 255 are of one
    class; where they are `cut_off`, ids were larger than a byte, and 255 is of no class for certain. With
    `bit_fields`, masks are rasterized as bits: bit c is set where a pixel has the value c + 1, and 0 is the
    value 0; a mask has `mask_planes` bytes for each pixel. `class_folders` are folders that may name the
    class of what their images' masks show, with the images of each. `pairs` and `classes` say in words how
    images found their annotations, and where the names of classes came from. With `boxes` among the `kinds`,
    truths are ObjectsTruths.
    """

    items: list[Item]
    kinds: tuple[Kind, ...] = MASKS
    names: dict[int, str] | None = None
    colors: dict[int, Color] = field(default_factory=dict)
    ignore_value: int | None = None
    listed: tuple[str, ...] = ()
    listed_in: str = ""
    others: tuple[OtherNames, ...] = ()
    objects: bool = False
    cut_off: bool = False
    bit_fields: bool = False
    mask_planes: int = 1
    class_folders: Mapping[str, int] = field(default_factory=dict)
    pairs: str = "each annotation names its image"
    classes: str | None = None


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """All items of an upload, each with Labels, of classes of these `names`.

    Where the `task` is multiclass each item has one label, else any number. `pairs` and `classes` are as in
    FoundSet.
    """

    items: list[Item]
    names: tuple[str, ...]
    task: Task
    pairs: str
    classes: str


class LabelFormat(Protocol):
    """A reader of one format of labels."""

    name: str
    """As a client names it in `format`."""

    def recognises(self, source: Source) -> bool:
        """Whether the upload may be of this format, if it has no masks. Never raises on odd content."""

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> LabelledSet | None:
        """The set; None, with errors or questions logged, where it cannot be used or is none of labels."""


class Format(Protocol):
    """A reader of one format."""

    name: str
    """As a client names it in `format`, for example `coco`."""

    def recognises(self, source: Source) -> bool:
        """Whether the upload is of this format, judged by content. Cheap; never raises on odd content."""

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """The set; None, errors logged, where it cannot be used. Never raises on odd content."""


@runtime_checkable
class Annotations(Protocol):
    """A format whose files may have boxes alone, which tell no pixels."""

    def evidence(self, source: Source) -> Sequence[Member]:
        """Files by which `Format.recognises` knows the format; empty where it does not. Never raises."""

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """Whether an object is outlined in those files, or in others that go with them. Never raises.

        As many are looked at as are worth it.
        """
