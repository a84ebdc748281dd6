"""How the pieces of an answer without a known length are told apart from its end."""

from typing import Protocol


class Framing(Protocol):
    """Of one connection."""

    end: bytes
    """What says that nothing more will come."""

    def piece(self, data: bytes) -> bytes:
        """The data as it is sent."""


class Plain:
    """As it is: the end of the connection is the end, or it never ends by itself."""

    end = b""

    def piece(self, data: bytes) -> bytes:
        """The data itself."""
        return data


class Chunked:
    """In chunks, RFC 9112 section 7.1, by which a client knows an end from a line that broke."""

    end = b"0\r\n\r\n"

    def piece(self, data: bytes) -> bytes:
        """One chunk; none where there is no data, since that would be the end."""
        return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
