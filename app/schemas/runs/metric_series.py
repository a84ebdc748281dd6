"""Curves as clients ask for and see them."""

from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from app.schemas.runs.comparison import MAX_COMPARED, run_ids_argument

MAX_NAMES = 50
MAX_POINTS = 10_000


class SeriesQuery(Schema):
    """Which curves are wanted, and how many points of each."""

    runs = run_ids_argument(MAX_COMPARED, required=True)
    names = DelimitedList(
        fields.String(validate=validate.Length(min=1, max=200)),
        validate=validate.Length(min=1, max=MAX_NAMES),
        metadata={
            "description": "columns of the runs' rows, separated by commas; all but those of single classes "
            "where it is left out"
        },
    )
    since = fields.String(
        validate=validate.Length(max=2048),  # with all else in the line of a request
        metadata={"description": "`since` of the answer before: only later points are sent"},
    )
    max_points = fields.Integer(
        load_default=500,
        validate=validate.Range(min=4, max=MAX_POINTS),
        metadata={"description": "of each curve; where it has more, its lowest and highest values stay"},
    )


class SeriesSchema(Schema):
    """Points of one metric of one run, in order; the four lists are equally long."""

    run_id = fields.String()
    name = fields.String()
    restart = fields.Boolean(
        metadata={"description": "these points take the place of all earlier ones: the run was trained again"}
    )
    epochs = fields.List(fields.Integer())
    steps = fields.List(fields.Integer(), metadata={"description": "optimizer steps finished"})
    seconds = fields.List(fields.Float(), metadata={"description": "of training up to there"})
    values = fields.List(
        fields.Float(allow_none=True), metadata={"description": "null where it was computed and is no number"}
    )


class SeriesAnswerSchema(Schema):
    """Curves; a curve of which nothing is new is not there."""

    items = fields.List(fields.Nested(SeriesSchema))
    since = fields.String(
        metadata={"description": "to be sent with the next request for the same runs and names"}
    )
