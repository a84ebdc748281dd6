"""API keys as clients of the older contracts can send them: they know no bearer tokens."""

from flask import Request

PARAMETER = "api_key"
"""The query parameter. The access log holds no queries."""


def keys_in(request: Request) -> list[str]:
    """The password of HTTP basic authentication, whatever the user, and the query parameter."""
    found = request.args.getlist(PARAMETER)
    if request.authorization and request.authorization.type == "basic":
        found.append(request.authorization.password or "")
    return found
