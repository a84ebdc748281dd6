"""How large a picture may be, and how it is refused."""

from workers.ingest.problems import Refused

MAX_PIXELS = 50_000_000
"""Pixels of one picture that is read whole."""

MAX_REDUCED_PIXELS = 400_000_000
"""Pixels of one picture that is made smaller while it is read."""

MAX_DRAWN_PIXELS = 110_000_000
"""Pixels of one image on which regions are rasterized, whole, before their mask is made smaller."""

MAX_MEMORY = 420 << 20
"""Bytes that a picture and its decoding may take, so that ingest stays below 500 MB."""

_TILES = "Cut it into tiles"
_SMALLER = "or send the set with max_side, to have large images made smaller while they are read"


class TooLarge(Refused):
    """A picture is too large to be read in one way; it may be read in another."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__("image_too_large", message, remedy)


def too_large(found: str, max_side: int | None = None) -> TooLarge:
    """A picture that has too many pixels; with `max_side`, even to be made smaller."""
    limit = MAX_PIXELS if max_side is None else MAX_REDUCED_PIXELS
    return TooLarge(
        f"The picture is too large: {found}; at most {limit} pixels are read.",
        f"{_TILES}, {_SMALLER}." if max_side is None else f"{_TILES}.",
    )


def in_no_parts(found: str) -> TooLarge:
    """A picture that has too many pixels, of a format that cannot be made smaller while it is read."""
    return TooLarge(
        f"The picture is too large: {found}; of this format at most {MAX_PIXELS} pixels are read.",
        f"{_TILES}, or save it as JPEG, PNG or TIFF and send the set with max_side: these are read in parts.",
    )


def takes_too_much(width: int, height: int, needed: int, max_side: int | None = None) -> TooLarge:
    """A picture whose decoding would take `needed` bytes."""
    way = f"{_SMALLER}" if max_side is None else "or send the set with a smaller max_side"
    return TooLarge(
        f"Decoding its {width}x{height} pixels would take {needed >> 20} MB; at most "
        f"{MAX_MEMORY >> 20} MB are used.",
        f"{_TILES}, save it as a JPEG that is not progressive, {way}.",
    )
