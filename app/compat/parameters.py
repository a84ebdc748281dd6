"""Parameters of the study service's calls: in the query string, a JSON body or a form, all as text."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Request
from webargs import missing

from app.http.requests.arguments import read_json_body, refuse_repeated
from app.schemas.fields import NAME_LENGTH
from trainyard.errors import InvalidRequest

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}\Z")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\Z")
_NUMBER_LENGTH = 40
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Parameters:
    """The parameters of one call by name. Each reader raises InvalidRequest that names the parameter."""

    given: Mapping[str, Any]

    @classmethod
    def of(cls, request: Request) -> "Parameters":
        """All parameters of the request; the query string goes before the body."""
        refuse_repeated(request.args)
        return cls({**_body(request), **request.args.to_dict()})

    def text(self, name: str) -> str:
        """Text of 1 to 100 printable characters."""
        value = self.given.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= NAME_LENGTH:
            raise _wrong(name, f"text of 1 to {NAME_LENGTH} characters")
        if not value.isprintable() or not value.strip():
            raise _wrong(name, "printable characters, not only spaces")
        return value

    def whole(self, name: str, minimum: int, maximum: int) -> int:
        """A whole number in [minimum, maximum]."""
        text = self._plain(name)
        if not _WHOLE.match(text) or not minimum <= int(text) <= maximum:
            raise _wrong(name, f"a whole number from {minimum} to {maximum}")
        return int(text)

    def share(self, name: str, maximum: float) -> float:
        """A number in (0, maximum]."""
        text = self._plain(name)
        value = float(text) if _NUMBER.match(text) and len(text) <= _NUMBER_LENGTH else math.nan
        if not 0 < value <= maximum:
            raise _wrong(name, f"a number above 0 and at most {maximum}")
        return value

    def _plain(self, name: str) -> str:
        """A number as text; JSON's true and false are none."""
        value = self.given.get(name)
        return "" if isinstance(value, bool) else str(value)


def _body(request: Request) -> Mapping[str, Any]:
    if request.mimetype in FORM_TYPES:
        refuse_repeated(request.form)
        return request.form.to_dict()
    content = read_json_body(request)
    if content is missing:
        return {}
    if not isinstance(content, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return content


def _wrong(name: str, wanted: str) -> InvalidRequest:
    return InvalidRequest(errors={name: [f"must be {wanted}"]})
