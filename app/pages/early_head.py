"""Pages whose head and navigation are sent first: a browser paints them while what the page is about is still
being searched for."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import Context as Surroundings
from contextvars import copy_context
from typing import Any

from flask import Response, current_app, request
from jinja2.runtime import Context

from app.composition import services
from app.http.answers.errors import envelope, log_unexpected

_CONTENT = "<main"
"""Where in `base.html` the head ends."""
_LEVEL = 3
"""Of 1 to 9, as all answers are compressed."""
_GZIP = zlib.MAX_WBITS | 16


def page_response(template: str, load: Callable[[], Mapping[str, Any]], **head: Any) -> Response:
    """The page: `head` is what the template needs before its content, `load` finds the rest of its values.

    An error of `load` can no longer be told by the status: it is told in place of the content. What a status
    is wanted for, such as a record that is not there, is looked for before this is called. Raises
    StoreUnavailable.
    """
    services().health.require_store()
    parts = _within(copy_context(), _parts(template, load, head))
    response = Response(mimetype="text/html")
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        response.headers["Content-Encoding"] = "gzip"
        response.response = _zipped(parts)
    else:
        response.response = (part.encode() for part in parts)
    return response


def _within(surroundings: Surroundings, parts: Iterator[str]) -> Iterator[str]:
    """The parts, each made for whoever asked and by what they may: when it is sent, the thread has been told
    that the request is over."""
    while (part := surroundings.run(next, parts, None)) is not None:
        yield part


def _parts(template: str, load: Callable[[], Mapping[str, Any]], head: Mapping[str, Any]) -> Iterator[str]:
    """The head, then all else."""
    context, pieces = _begin(template, head)
    yield "".join(_until(pieces, _CONTENT))
    try:
        context.vars.update(load())  # a block looks for names when it begins: that of the content has not yet
        yield "".join(pieces)
    except Exception as error:  # noqa: BLE001 - whatever it is, the page that has begun says so
        log_unexpected(error)
        _, pieces = _begin("refusal.html", {"error": envelope(error)})
        for _ in _until(pieces, _CONTENT):
            pass  # what has been sent
        yield "".join(pieces)


def _begin(name: str, values: Mapping[str, Any]) -> tuple[Context, Iterator[str]]:
    """The pieces of a template, each made when it is asked for, by what is in its context then."""
    template, known = current_app.jinja_env.get_template(name), dict(values)
    current_app.update_template_context(known)
    context = template.new_context(known)
    return context, template.root_render_func(context)


def _until(pieces: Iterator[str], mark: str) -> Iterator[str]:
    for piece in pieces:
        yield piece
        if mark in piece:
            return


def _zipped(parts: Iterator[str]) -> Iterator[bytes]:
    """Each part in a piece of its own, which a browser can unpack when it comes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for part in parts:
        yield packer.compress(part.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
