"""Conditional and range requests after RFC 9110, sections 13 and 14."""

import os
import re
from datetime import datetime
from pathlib import Path

from flask import Request, Response, send_file

from app.http.answers.digest import add_digest

_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,999})-([0-9]{0,999})|-([0-9]{1,999}))[ \t]*\Z", re.IGNORECASE)
_RANGE_HEADERS = ("HTTP_RANGE", "HTTP_IF_RANGE")
_CONDITIONS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE")


def file_response(
    request: Request,
    path: Path,
    mimetype: str | None = None,
    name: str | None = None,
    as_attachment: bool = True,
) -> Response:
    """The file, to be saved or shown: whole, one range of it, or 304 or 412 without a body.

    Raises RequestedRangeNotSatisfiable for a range that the file does not have.
    """
    size = path.stat().st_size
    response = send_file(
        path, mimetype=mimetype, as_attachment=as_attachment, download_name=name, conditional=False
    )
    response.last_modified = datetime.fromtimestamp(int(path.stat().st_mtime)).astimezone()
    status = precondition(request, response)
    if status is not None:
        response.close()
        return without_body(response, status)
    environ = {
        key: value for key, value in request.environ.items() if key not in _CONDITIONS + _RANGE_HEADERS
    }
    add_digest(request, response, path)
    wanted = _wanted_range(request, response, size) if size else None
    if wanted:
        environ["HTTP_RANGE"] = wanted
    response.make_conditional(environ, accept_ranges=True, complete_length=size)
    return response


def opened_file(path: Path, mimetype: str, name: str, *, as_attachment: bool = True) -> Response:
    """A file that was made for this answer: open, so that it is sent though its name is gone by then."""
    file = path.open("rb")
    response = send_file(file, mimetype, as_attachment, name)
    response.content_length = os.fstat(file.fileno()).st_size
    return response


def precondition(request: Request, response: Response) -> int | None:
    """304 or 412 where the request's conditions say so of a response with ETag or Last-Modified."""
    etag, _ = response.get_etag()
    modified = response.last_modified
    if request.if_match:
        if not (request.if_match.star_tag or request.if_match.is_strong(etag or "")):
            return 412
    elif request.if_unmodified_since and modified and modified > request.if_unmodified_since:
        return 412
    if request.if_none_match:
        same = request.if_none_match.star_tag or request.if_none_match.contains_weak(etag or "")
        return 304 if same else None
    if request.if_modified_since and modified and modified <= request.if_modified_since:
        return 304
    return None


def without_body(response: Response, status: int) -> Response:
    """An answer that has of the response what tells its version, and nothing else."""
    kept = ("ETag", "Last-Modified", "Cache-Control")
    headers = {name: response.headers[name] for name in kept if name in response.headers}
    bare = Response(status=status, headers=headers)
    del bare.headers["Content-Type"]
    return bare


def _wanted_range(request: Request, response: Response, size: int) -> str | None:
    """The one range to send. Other units, several ranges, what is malformed and what `If-Range` rules out
    get the whole file."""
    match = _RANGE.match(request.headers.get("Range", "")) if request.method == "GET" else None
    if not match or not _holds_if_range(request, response):
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return f"bytes=-{min(int(suffix), size)}"
    if last and int(last) < int(first):
        return None
    return f"bytes={min(int(first), size)}-{min(int(last), size) if last else ''}"


def _holds_if_range(request: Request, response: Response) -> bool:
    if "If-Range" not in request.headers:
        return True
    wanted, (etag, _) = request.if_range, response.get_etag()
    if wanted.date is not None:
        return bool(wanted.date == response.last_modified)
    return wanted.etag == etag and not request.headers["If-Range"].strip().startswith("W/")
