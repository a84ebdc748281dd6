"""Which events of many runs a client wants."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from webargs.fields import DelimitedList

from app.schemas.fields import name_field
from app.schemas.runs.comparison import run_ids_argument
from app.service.run_outputs.log_lines import LOG
from trainyard.runs.events import NAMES

MAX_FOLLOWED = 200
KINDS = (*NAMES, LOG)


def kinds_argument() -> DelimitedList:
    """Kinds of events; all but lines of logs where nothing is said."""
    return DelimitedList(
        fields.String(validate=validate.OneOf(KINDS)),
        validate=validate.Length(min=1, max=len(KINDS)),
        metadata={"description": f"separated by commas; `{LOG}`, lines of the log, where asked for alone"},
    )


class EventFeedQuery(Schema):
    """Whose events, and of which kinds; all where nothing is said."""

    runs = run_ids_argument(MAX_FOLLOWED)
    project = name_field("only runs of this project")
    kinds = kinds_argument()
    last_event_id = fields.String(metadata={"description": "as the header, which goes before"})

    @validates_schema
    def check_log(self, data: dict[str, Any], **_: Any) -> None:
        """Lines of logs come of runs that are named."""
        if LOG in data.get("kinds", ()) and not data.get("runs"):
            raise ValidationError({"kinds": [f"{LOG} needs `runs`"]})
