"""What a trained model is asked, and what it answers."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate
from webargs.fields import DelimitedList

from app.service.models.predictions import PredictionRequest
from app.service.models.received_images import MAX_IMAGES
from trainyard.library.prediction import CLASS_MAP, FORMS, PICTURES, TRAINED, WAYS
from trainyard.library.trained_model import FP32


class PredictionFields(Schema):
    """The text fields of a prediction, beside its images."""

    form = fields.String(
        load_default=CLASS_MAP,
        validate=validate.OneOf(FORMS),
        metadata={
            "description": "class_map: a grey PNG whose values are classes (of a multilabel model bit c is "
            "class c); overlay: the image under the classes' colours; json: how much of each class where. Of "
            "classification json: how probable each class is; overlay: the image above its classes. Of "
            "detection json: each object with its box; overlay: the image with them"
        },
    )
    way = fields.String(
        load_default=TRAINED,
        validate=validate.OneOf(WAYS),
        metadata={
            "description": "trained: as images were seen in training; tiles: square by square, at the "
            "image's own scale; resize: the whole image brought to the trained size"
        },
    )
    precision = fields.String(
        load_default=FP32,
        validate=validate.OneOf(["fp32", "fp16", "int8"]),
        metadata={"description": "which of the model's files answers"},
    )
    pictures = DelimitedList(
        fields.String(validate=validate.OneOf(PICTURES)),
        validate=validate.Length(max=len(PICTURES)),
        metadata={"description": "pictures that an answer of the form json carries, separated by commas"},
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> PredictionRequest:
        """The request as its use case takes it."""
        return PredictionRequest(**{**data, "pictures": tuple(data.get("pictures", ()))})


class PredictionFormSchema(PredictionFields):
    """The whole form, for the API's description."""

    image = fields.List(
        fields.Raw(metadata={"type": "string", "format": "binary"}),
        required=True,
        validate=validate.Length(min=1, max=MAX_IMAGES),
        metadata={"description": "picture files, as ingest reads them"},
    )


class FoundClassSchema(Schema):
    """How much of a class there is in an image, and where; of classification how probable it is, of detection
    how many objects of it are believed."""

    index = fields.Integer()
    name = fields.String()
    color = fields.List(fields.Integer())
    pixels = fields.Integer()
    share = fields.Float(metadata={"description": "of all pixels, 0 to 1"})
    box = fields.List(
        fields.Integer(),
        allow_none=True,
        metadata={"description": "left, top, width, height in pixels around all of it; null where none is"},
    )
    probability = fields.Float(metadata={"description": "classification: of the whole image, 0 to 1"})
    predicted = fields.Boolean(metadata={"description": "classification: whether the image has it"})
    objects = fields.Integer(metadata={"description": "detection: of the model's threshold and above"})


class OutlineSchema(Schema):
    """The pixels of an object as COCO's compressed run lengths."""

    size = fields.List(fields.Integer(), metadata={"description": "height and width of the image"})
    counts = fields.String()


class FoundObjectSchema(Schema):
    """An object that is found in an image."""

    index = fields.Integer(metadata={"description": "of its class"})
    name = fields.String(metadata={"description": "of its class"})
    score = fields.Float(metadata={"description": "0 to 1"})
    predicted = fields.Boolean(metadata={"description": "whether its score is the threshold and above"})
    box = fields.List(
        fields.Float(), metadata={"description": "left, top, width and height in pixels of the image"}
    )
    outline = fields.Nested(OutlineSchema, metadata={"description": "of models of instance segmentation"})


class PredictedImageSchema(Schema):
    """What a model makes of one image."""

    name = fields.String(metadata={"description": "as the client named the file"})
    width = fields.Integer()
    height = fields.Integer()
    notices = fields.List(fields.String())
    classes = fields.List(fields.Nested(FoundClassSchema))
    threshold = fields.Float(
        metadata={"description": "detection: the score from which on an object is believed"}
    )
    objects = fields.List(
        fields.Nested(FoundObjectSchema),
        metadata={"description": "detection: the most probable first, from a score of 0.05 on"},
    )
    picture = fields.String(allow_none=True, metadata={"description": "its name in an archive of several"})
    class_map = fields.String(metadata={"description": "PNG as base64, where `pictures` names it"})
    overlay = fields.String(metadata={"description": "likewise"})


class PredictionSchema(Schema):
    """What a model answers in the form json, an item for each image in the order sent."""

    model_id = fields.String()
    version = fields.Integer()
    task = fields.String()
    seconds = fields.Float(metadata={"description": "that the worker took"})
    images = fields.List(fields.Nested(PredictedImageSchema))
