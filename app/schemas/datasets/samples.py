"""Samples of a data set as clients see them."""

from marshmallow import Schema, fields, validate

SPLITS = ("train", "val", "test", "unused")
LAYERS = ("overlay", "image", "mask", "boxes")


class SamplesQuery(Schema):
    """Which samples are wanted."""

    split = fields.String(validate=validate.OneOf(SPLITS, error="Must be one of: {choices}."))
    class_name = fields.String(
        data_key="class",
        validate=validate.Length(min=1, max=200),
        metadata={"description": "only samples in which this class, by name or index, occurs"},
    )
    cursor = fields.String(
        validate=validate.Regexp(r"[0-9]{1,12}\Z", error="Not a cursor that a list gave as next_cursor."),
        metadata={"description": "next_cursor of the page before"},
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class SampleObjectSchema(Schema):
    """An object of an image."""

    index = fields.Integer(metadata={"description": "of its class among those of objects, from 0"})
    name = fields.String(metadata={"description": "of its class"})
    color = fields.List(fields.Integer(), metadata={"description": "red, green and blue, 0 to 255"})
    box = fields.List(
        fields.Float(),
        metadata={"description": "left, top, right and bottom in pixels of the image as prepared"},
    )
    crowd = fields.Boolean(metadata={"description": "several objects that nobody has told apart"})


class SampleSchema(Schema):
    """One image with what is annotated in it."""

    index = fields.Integer(metadata={"description": "its position in the set, from 0"})
    name = fields.String()
    split = fields.String(metadata={"description": "train, val, test, or unused"})
    fold = fields.Integer(allow_none=True)
    width = fields.Integer(metadata={"description": "pixels, as prepared"})
    height = fields.Integer(metadata={"description": "pixels, as prepared"})
    classes = fields.List(fields.String(), metadata={"description": "names of those that occur"})
    objects = fields.List(
        fields.Nested(SampleObjectSchema),
        allow_none=True,
        metadata={"description": "null where the set has no boxes"},
    )
    url = fields.String(metadata={"description": "its preview"})


class SamplesSchema(Schema):
    """A page of samples, by position."""

    items = fields.List(fields.Nested(SampleSchema))
    next_cursor = fields.String(
        allow_none=True, metadata={"description": "ask for the next page with it; null on the last"}
    )


class PreviewQuery(Schema):
    """Which picture is wanted."""

    layer = fields.String(
        load_default="overlay",
        validate=validate.OneOf(LAYERS, error="Must be one of: {choices}."),
        metadata={
            "description": "the mask's colours, or the boxes of a set that is made of these, over the image, "
            "with a legend; the image; boxes over the image; or the mask, whose "
            "pixels are class indices, 255 where ignored; of a multilabel set its pixels are bit fields: bit "
            "c is set where the pixel has the class of index c, and 0 is no class"
        },
    )
