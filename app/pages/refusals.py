"""How a page that cannot be shown says why."""

from urllib.parse import quote

from flask import Response, make_response, redirect, render_template, request

from app.http.access.authentication import SIGN_IN
from app.http.answers.errors import envelope, headers_of, log_unexpected, respond
from app.pages.policy import policy
from trainyard.errors import Unauthorized


def refuse(error: Exception) -> Response:
    """The error as a page for whoever reads pages, else as the API shows it.

    Whoever has to sign in first is sent there. A browser sends no session's cookie with a link that it
    follows from another site; asked once more from here, it does.
    """
    if "text/html" not in request.headers.get("Accept", ""):
        return respond(error)
    if isinstance(error, Unauthorized) and request.method == "GET":
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return _page("again.html", 200, {})
        return make_response(
            redirect(f"{request.script_root}{SIGN_IN}?next={quote(_asked(), safe='/')}", 303)
        )
    log_unexpected(error)
    found = envelope(error)
    response = _page("refusal.html", found["status"], {"error": found})
    response.headers.extend(headers_of(error))
    return response


def _asked() -> str:
    query = request.query_string.decode("ascii", "replace")
    return f"{request.path}?{query}" if query else request.path


def _page(template: str, status: int, values: dict[str, object]) -> Response:
    response = make_response(
        render_template(template, **values, asked=request.script_root + _asked()), status
    )
    response.headers["Content-Security-Policy"] = policy()
    response.headers["Cache-Control"] = "no-store"
    return response
