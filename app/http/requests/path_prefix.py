"""An API behind a proxy that serves it below a path, such as /trainyard."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Wsgi: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def below(prefix: str, application: Wsgi) -> Wsgi:
    """The application, whose addresses begin with the prefix: whether or not the proxy takes it away before
    it passes a request on."""
    if not prefix:
        return application

    def called(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        rest = path.removeprefix(prefix)
        is_whole = rest != path and (not rest or rest.startswith("/"))
        found = {"SCRIPT_NAME": prefix, "PATH_INFO": (rest or "/") if is_whole else path}
        return application({**environ, **found}, start_response)

    return called
