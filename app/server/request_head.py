"""What the first bytes of a request say, before anybody parses it."""

import re

HEAD_BYTES = 64 * 1024
"""A longer head is refused."""
EARLY_BODY_BYTES = 64 * 1024
"""So much of a request's body is collected before a thread is given to it."""
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,6})[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:", re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"[!-~]+ [!-~]+ HTTP/1\.[0-9]\r\n")
_BODY = re.compile(rb"\r\n(?:content-length|transfer-encoding|expect):", re.IGNORECASE)
_READS = (b"GET ", b"HEAD ")
_PATH = re.compile(rb"(?:\r\n)*[!-~]+ (/[!-~]*)")


def is_enough(request: bytes) -> bool:
    """Whether a thread need not wait for the client: the head is there, and the body if it is a small one.

    What is unusual is left to the parser.
    """
    head, is_whole, body = request.partition(_END)
    if not is_whole:
        return is_overlong(request) or _is_refused(request)
    length = _LENGTH.search(head + b"\r\n")
    if not length or _EXPECTS.search(head):
        return True
    return int(length[1]) > EARLY_BODY_BYTES or len(body) >= int(length[1])


def is_overlong(request: bytes | bytearray) -> bool:
    """Whether the head is longer than HEAD_BYTES, and has no end yet."""
    return len(request) > HEAD_BYTES and _END not in request


def is_plain_read(request: bytes | bytearray) -> bool:
    """Whether it is a whole GET or HEAD without a body: nothing more is awaited of the client."""
    head, is_whole, _ = bytes(request.lstrip(b"\r\n")).partition(_END)
    return bool(is_whole) and head.startswith(_READS) and not _BODY.search(head)


def path_of(request: bytes | bytearray) -> str:
    """The address, without its query, as it was sent; "/" where there is none yet."""
    found = _PATH.match(request)
    return found[1].partition(b"?")[0].decode("ascii") if found else "/"


def _is_refused(head: bytes) -> bool:
    """Whether the parser will refuse the head whatever follows: by its first line, or for a line's end."""
    lines = head.count(b"\n")
    return lines > 0 and (lines != head.count(b"\r\n") or not _REQUEST_LINE.match(head))
