"""A board in a browser: what its TensorBoard answers, within the guard of this server.

TensorBoard has no access control of its own and knows nothing of this server: it is asked for one file at a
time, is sent nothing that tells who asks, and its pages may speak to this server alone.
"""

import http.client
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request

from app.composition import services
from trainyard.library.board import Board, BoardStatus

METHODS = ("GET", "POST")
CONNECT_S = 5.0
_PIECE = 1 << 16
_SENT = ("Accept", "Content-Type", "If-None-Match")
_ANSWERED = ("Content-Type", "Content-Encoding", "Cache-Control", "ETag", "Expires", "Content-Disposition")
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",  # its charts are compiled while they are drawn
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "object-src 'none'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",  # one of its tabs shows a page of its own
    )
)


def add_to(blueprint: Blueprint) -> None:
    """Add the addresses."""
    blueprint.add_url_rule("/boards/<board_id>/", "board", show)
    blueprint.add_url_rule("/boards/<board_id>/<path:rest>", "board_file", show, methods=METHODS)


def show(board_id: str, rest: str = "") -> Response:
    """What TensorBoard answers, or a page that waits for it; raises NotFound."""
    board = services().boards.looked_at(board_id)
    if board.status == BoardStatus.READY and board.address is not None:
        answer = _asked(board, board.address, rest)
        if answer is not None:
            return answer
    page = Response(
        render_template("cluster/board.html", board=board, is_whole=not rest), mimetype="text/html"
    )
    page.status_code = HTTPStatus.OK if not rest else HTTPStatus.SERVICE_UNAVAILABLE
    return page


def _asked(board: Board, address: str, rest: str) -> Response | None:
    """The answer; None where the process is not there any more, which its worker will find."""
    connection = http.client.HTTPConnection(address, timeout=CONNECT_S)
    headers = {name: request.headers[name] for name in _SENT if name in request.headers}
    headers["Accept-Encoding"] = "gzip" if request.accept_encodings["gzip"] else "identity"
    query = request.query_string.decode("ascii", "replace")
    try:
        connection.request(request.method, _target(board, rest, query), request.get_data() or None, headers)
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException):
        connection.close()
        return None
    response = Response(_pieces(connection, answer), status=answer.status)
    for name in _ANSWERED:
        if value := answer.headers.get(name):
            response.headers[name] = value
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _target(board: Board, rest: str, query: str) -> str:
    path = f"/boards/{board.id}/{quote(rest)}"
    return f"{path}?{query}" if query else path


def _pieces(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := answer.read(_PIECE):
            yield piece
    finally:
        connection.close()
