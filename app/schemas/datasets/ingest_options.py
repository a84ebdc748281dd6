"""The options of an upload."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.schemas.datasets.option_fields import (
    MAX_CAP,
    MAX_VALUE,
    CapField,
    ClassesField,
    ClassMasksField,
    ColorsField,
    ColumnsField,
    LabelMapField,
    NamesEncodingField,
    PatternField,
    SplitsField,
    Whole,
)
from trainyard.catalog.names import DATASET_FORMATS, NAME_ENCODINGS
from trainyard.datasets.record import PICTURES, IngestOptions
from trainyard.spec.fields import ListedOrOffered

MAX_FOLDS = 100
_PATTERN_HELP = "a pattern of paths from any folder downwards, with *, ? and **, or the name of a folder"


def _one_of(*values: str, help: str) -> fields.String:
    return fields.String(
        validate=validate.OneOf(values, error="Must be one of: {choices}."), metadata={"description": help}
    )


class OptionsFields(Schema):
    """All that may be said of how an upload is read."""

    format = fields.String(
        validate=ListedOrOffered(lambda: DATASET_FORMATS),
        metadata={
            "description": "format of the annotations; found out where it is left out",
            "anyOf": ListedOrOffered(lambda: DATASET_FORMATS).forms(),
        },
    )
    classes = ClassesField(
        metadata={
            "description": 'names of mask values: {"0": "background", "255": "pet"} or [{"value": 0, "name": '
            '"background"}]; values without a name are found out',
            "type": "object",
        }
    )
    colors = ColorsField(
        metadata={
            "description": 'values of mask colours: {"#000000": 0, "#ff0000": 1}',
            "type": "object",
        }
    )
    ignore_value = Whole(
        validate=validate.Range(min=0, max=MAX_VALUE),
        metadata={"description": "mask value of pixels that belong to no class"},
    )
    images = PatternField(
        metadata={
            "description": f"which pictures are images, of any format: {_PATTERN_HELP}; found out where it "
            "is left out"
        },
    )
    masks = PatternField(
        metadata={
            "description": f"which pictures are masks, and no images: {_PATTERN_HELP}; found out where it is "
            f"left out. Without `format`, the format is {PICTURES}"
        },
    )
    class_masks = ClassMasksField(
        metadata={
            "description": f"which pictures are masks of one class each, by its name: {_PATTERN_HELP}, as "
            '{"left lung": "left/*.png", "right lung": "right/*.png"}',
            "type": "object",
        }
    )
    label_map = LabelMapField(
        metadata={
            "description": 'mask values and what replaces them, null for ignored: {"255": 1, "7": null}',
            "type": "object",
        }
    )
    objects = _one_of(
        "classes",
        "one_class",
        help="whether values of masks are classes, or ids of objects of one class; asked where it is open",
    )
    several_masks = _one_of(
        "union",
        "classes",
        help="whether the several masks of an image are parts of one mask, or one class each",
    )
    pair_numbers = _one_of(
        "equal",
        "exchanged",
        "in_order",
        "listed",
        help="which numbers in the names of images and masks belong together: equal ones; those with two of "
        "them exchanged, as rows and columns of tiles; or, where the two are counted from different numbers, "
        "the first with the first, and so on; or those that rows of a list in the upload have",
    )
    copies = _one_of(
        "leave_out",
        "last",
        "keep",
        help="what becomes of masks that are called as copies of others, `im0 (1).png`, and show something "
        "else: they are left out, the last one counts, or they are further masks; with `keep` copies of the "
        "same content are kept, too",
    )
    unmasked = _one_of(
        "background", "leave_out", help="whether images without a mask are all background or left out"
    )
    flat_images = _one_of(
        "use",
        "leave_out",
        help="whether a few images of flat areas among photographs are images, or masks in a wrong place",
    )
    mask_size = _one_of(
        "resample",
        "refuse",
        help="whether masks of their image's proportions and another size are resampled (nearest) or refused",
    )
    class_folders = _one_of(
        "classes",
        "ignore",
        help="whether the folders that images lie in name the class of what their masks show",
    )
    label_depth = Whole(
        validate=validate.Range(min=1, max=20),
        metadata={
            "description": "where folders are classes: which of those that differ names the class, counted "
            "from 1, the outermost; folders of splits are not counted"
        },
    )
    label_columns = ColumnsField(
        metadata={
            "description": "where a table names labels: the heading of the column whose cells are labels, or "
            "those of several columns of 0 and 1, one for each class; without headings columns are numbered "
            "from 1",
            "type": "array",
            "items": {"type": "string"},
        }
    )
    label_separator = fields.String(
        validate=validate.Length(max=8),
        metadata={
            "description": "what parts the labels in a cell of a table; empty where a cell is one label"
        },
    )
    labels = _one_of(
        "one",
        "several",
        help="whether an image has one label, and is left out where a table gives it several, or any number",
    )
    box_form = _one_of(
        "xywh",
        "xyxy",
        "cxcywh",
        help="what the four numbers of a box are in COCO and YOLO files: left, top, width and height; two "
        "corners; or centre, width and height",
    )
    on_question = _one_of(
        "ask",
        "assume",
        "fail",
        help="what becomes of a question that the files leave open: the set waits for an answer, "
        "the likeliest reading is assumed and said, or the ingest fails",
    )
    order = _one_of(
        "area", "file", help="which of overlapping regions is seen: the smaller or the later in the file"
    )
    crowd = _one_of("ignore", "label", help="whether COCO's crowd regions are ignored or keep their label")
    names_encoding = NamesEncodingField(
        metadata={
            "description": "encoding of file names that the archive does not mark; found out "
            "where it is left out",
            "enum": list(NAME_ENCODINGS),
        }
    )
    max_side = Whole(
        validate=validate.Range(min=16, max=65535),
        metadata={"description": "longest side of prepared images in pixels; larger ones are made smaller"},
    )
    splits = SplitsField(
        metadata={
            "description": 'image names, with or without ending, per split: {"train": ["a"], "val": ["b"]}; '
            "images in no list are not used",
            "type": "object",
        }
    )
    splits_from = _one_of(
        "furthest",
        "lists",
        "folders",
        "folder_words",
        "lower_trains",
        "higher_trains",
        "as_told",
        "draw",
        help="what counts where folders and lists of the upload say different splits or leave them open (the "
        "split that is held out furthest; the lists, for all images that they name; the folders; words in "
        "the names of folders that may mean something else; in a list of numbers that the lower, or the "
        "higher one trains); `draw` draws a new one, `as_told` keeps what is told for sure",
    )
    split_lists = PatternField(
        metadata={
            "description": "which lists of splits in the upload count, where it has several sets of them: "
            f"{_PATTERN_HELP}"
        },
    )
    folds = Whole(
        validate=validate.Range(min=2, max=MAX_FOLDS),
        metadata={"description": "folds over what trains and validates; a run names one as data.split_index"},
    )
    val_fraction = fields.Float(
        validate=validate.Range(min=0, max=0.9, min_inclusive=False),
        metadata={"description": "share of images for validation where neither lists nor folders say"},
    )
    seed = Whole(validate=validate.Range(min=0, max=2**32 - 1), metadata={"description": "seed of draws"})
    max_images_per_class = CapField(
        metadata={
            "description": "of each split, images are kept until every class occurs in so many: one number, "
            'or one for each class that is named, {"cat": 200}',
            "oneOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_CAP},
                {"type": "object", "additionalProperties": {"type": "integer"}},
            ],
        }
    )

    @validates_schema
    def ignored_is_no_class(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an ignored value that has a name."""
        if data.get("ignore_value") in data.get("classes", {}):
            raise ValidationError("It is the value of a class as well.", "ignore_value")

    @validates_schema
    def masks_are_meant_in_one_way(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse masks of one class each beside another format, and masks that are meant in two ways."""
        if "class_masks" in data and data.get("format", PICTURES) != PICTURES:
            raise ValidationError(f"Only the format {PICTURES} has masks of one class each.", "class_masks")
        if {"masks", "class_masks"} <= data.keys():
            raise ValidationError("Give masks or class_masks, not both.", "class_masks")


OPTIONS = frozenset(OptionsFields._declared_fields)


def options_of(data: Mapping[str, Any]) -> IngestOptions:
    """The options among the loaded fields."""
    return IngestOptions(**{name: value for name, value in data.items() if name in OPTIONS})
