"""What the address of a list asks for, read as the API reads it but patiently: a page is shown either way."""

from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError


def asked_for(schema: Schema) -> tuple[dict[str, str], Any]:
    """The parameters that hold something, and what the schema makes of them.

    Parameters that the schema does not know mean nothing; where one of the others is wrong, none counts.
    """
    given = {name: text for name, text in request.args.items() if text}
    try:
        return given, schema.load(given, unknown=EXCLUDE)
    except ValidationError:
        return {}, schema.load({})
