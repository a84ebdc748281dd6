"""Files of runs that a browser shows in place: under a policy that lets them do nothing but be looked at.

A report holds names that users have given, so that it is shown as if it came from a stranger's server: in a
sandbox without scripts, forms or this server's cookies, with its own styles and pictures alone.
"""

from pathlib import Path

from flask import Request, Response

from app.http.answers.conditional import file_response

SHOWN = {
    ".html": "text/html",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".log": "text/plain",
    ".csv": "text/plain",
    ".json": "text/plain",
    ".jsonl": "text/plain",
    ".yaml": "text/plain",
}
"""Endings of files that are shown, and as what."""
_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


def shown_response(request: Request, path: Path) -> Response:
    """The file to be looked at within a page of this server; one of another kind to be saved."""
    mimetype = SHOWN.get(path.suffix.lower())
    if mimetype is None:
        return file_response(request, path)
    response = file_response(request, path, mimetype, as_attachment=False)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
