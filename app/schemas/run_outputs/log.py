"""How much of a run's log is wanted."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.service.run_outputs.logs import MAX_LOG_LINES, MAX_PART_BYTES

DEFAULT_LINES = 200


class LogQuery(Schema):
    """The end of the log by lines, or a part of it by bytes; and whether to wait for more."""

    tail = fields.Integer(
        validate=validate.Range(min=1, max=MAX_LOG_LINES),
        metadata={
            "description": f"lines from the end; {DEFAULT_LINES} where neither this nor `offset` is given"
        },
    )
    offset = fields.Integer(
        validate=validate.Range(min=0, max=2**53),
        metadata={"description": "from this byte on; the header Log-Offset tells the next one"},
    )
    limit = fields.Integer(
        load_default=MAX_PART_BYTES,
        validate=validate.Range(min=1, max=MAX_PART_BYTES),
        metadata={"description": "bytes at most, with `offset`"},
    )
    follow = fields.Boolean(
        load_default=False,
        metadata={"description": "send what is asked for, then what comes, until the run has ended"},
    )

    @validates_schema
    def one_beginning(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse two places to begin at."""
        if "tail" in data and "offset" in data:
            raise ValidationError("Give either `tail` or `offset`.", "offset")
