"""Many runs at once, as clients send and see them."""

from marshmallow import Schema, fields, validate

from app.http.answers.errors import ErrorSchema
from app.schemas.runs.runs import StopSchema

MAX_RUNS = 200
"""As many as a page of the list may have."""


class BulkTargetsSchema(Schema):
    """Which runs are meant."""

    ids = fields.List(
        fields.String(validate=validate.Length(min=1, max=100)),
        required=True,
        validate=validate.Length(min=1, max=MAX_RUNS),
        metadata={"description": "ids of runs; one that is named twice is done once"},
    )


class StopManySchema(BulkTargetsSchema, StopSchema):
    """Which runs are to stop, and when."""


class BulkOutcomeSchema(Schema):
    """What came of one run."""

    id = fields.String()
    status = fields.String(allow_none=True, metadata={"description": "its status now; null once deleted"})
    error = fields.Nested(
        ErrorSchema,
        allow_none=True,
        metadata={"description": "why it was left as it is; null where it was done"},
    )


class BulkSchema(Schema):
    """What came of each, in the order of the request."""

    items = fields.List(fields.Nested(BulkOutcomeSchema))
    failed = fields.Integer(metadata={"description": "how many were left as they are"})
