"""Which events of many runs a client wants."""

from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from app.schemas.fields import name_field
from app.schemas.run_comparison import run_ids_argument
from trainyard.runs.events import NAMES

MAX_FOLLOWED = 200


class EventFeedQuery(Schema):
    """Whose events, and of which kinds; all where nothing is said."""

    runs = run_ids_argument(MAX_FOLLOWED)
    project = name_field("only runs of this project")
    kinds = DelimitedList(
        fields.String(validate=validate.OneOf(NAMES)),
        validate=validate.Length(min=1, max=len(NAMES)),
        metadata={"description": "separated by commas"},
    )
    last_event_id = fields.String(metadata={"description": "as the header, which goes before"})
