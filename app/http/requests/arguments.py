"""How a request's parameters are read, for every route: one blueprint class, one parser."""

from typing import Any, NoReturn

import marshmallow
from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint
from webargs import missing
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app.http.requests.json_data import RepeatedKeyError, strict_loads
from app.http.requests.typed_json import text_in_place
from trainyard.errors import InvalidRequest
from trainyard.unknown_fields import with_names


class RepeatedKey(InvalidRequest):
    """The body has a key twice."""

    code = "bad_request"


class ArgumentsParser(FlaskParser):
    """webargs, with the house's errors: InvalidRequest names fields as the client sent them.

    A query parameter that does not exist is refused: it is a misspelling that would go unnoticed.
    """

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": marshmallow.RAISE}

    def _raw_load_json(self, req: Request) -> Any:
        return read_json_body(req)

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The body, in which numbers are no text."""
        data = super().load_json(req, schema)
        refuse_text_in_place(schema, data)
        return data

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Query parameters, each given once."""
        refuse_repeated(req.args)
        return MultiDictProxy(req.args, schema)

    def handle_error(
        self,
        error: marshmallow.ValidationError,
        req: Request,
        schema: marshmallow.Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        """Raise InvalidRequest; webargs keys the messages by location, which a client need not know."""
        by_location: dict[str, Any] = error.messages_dict
        fields = {
            name: found
            for messages in by_location.values()
            for name, found in with_names(schema, messages).items()
        }
        raise InvalidRequest("The request is not valid.", errors=fields) from error


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A flask-smorest blueprint that reads requests with the parser above."""

    ARGUMENTS_PARSER = ArgumentsParser()

    def arguments(self, schema: Any, **options: Any) -> Any:
        """As flask-smorest's, with one schema for all requests: making one copies each of its fields."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)


def read_json_body(request: Request) -> Any:
    """The body as JSON data, or webargs' `missing` where it is empty.

    Raises UnsupportedMediaType for another content type, BadRequest for broken JSON, and RepeatedKey.
    """
    body = request.get_data(cache=True)
    if not body:
        return missing
    if not request.is_json:
        raise UnsupportedMediaType("The body must be JSON, sent with `Content-Type: application/json`.")
    try:
        return strict_loads(body)
    except RepeatedKeyError as error:
        told = f"The body is not valid JSON: {error}."
        raise RepeatedKey(told, errors={error.key: ["give it once"]}) from error
    except ValueError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from error


def refuse_text_in_place(schema: marshmallow.Schema, data: Any) -> None:
    """Raise InvalidRequest where JSON data holds text in place of a number or a truth value."""
    errors = text_in_place(schema, data)
    if errors:
        raise InvalidRequest("The request is not valid.", errors=errors)


def refuse_repeated(parameters: MultiDict[str, Any]) -> None:
    """Raise InvalidRequest for a parameter that is given more than once."""
    repeated = [name for name, values in parameters.lists() if len(values) > 1]
    if repeated:
        raise InvalidRequest(
            "A parameter was given more than once.", errors={name: ["give it once"] for name in repeated}
        )
