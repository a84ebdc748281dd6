"""What plug-ins of workers offer, as clients see it."""

from typing import get_args

from marshmallow import Schema, fields, validate

from trainyard.plugins.offers import OfferKind


class OfferSchema(Schema):
    """One name that a spec, or a data set's `format`, may have beside Trainyard's own."""

    kind = fields.String(validate=validate.OneOf(get_args(OfferKind)))
    name = fields.String(
        metadata={"description": "whose it is, a dot, and what it is", "example": "lab.tversky"}
    )
    help = fields.String()
    task = fields.String(allow_none=True, metadata={"description": "the task that it is for, null for all"})
    forms = fields.List(
        fields.String(), metadata={"description": "what `model.task` a loss is for; empty for all"}
    )
    params = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Float(), validate=validate.Length(equal=2)),
        metadata={"description": "what a loss takes, each a number from and to"},
    )
    takes_class_weights = fields.Boolean()
    size_multiple = fields.Integer(
        metadata={"description": "of which the sides of an architecture's images are multiples, in px"}
    )
    encoders = fields.List(
        fields.String(), metadata={"description": "of an architecture; empty where it takes Trainyard's"}
    )
