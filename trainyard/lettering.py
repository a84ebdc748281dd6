"""Names in pictures, whatever script they are in.

A name is drawn in the first of FONTS that has all its characters, else in runs, each in the first that has
it. Pillow shapes and orders what is written from right to left or joined (raqm, part of its wheels). The
fonts are packages of their own under the SIL Open Font License.
"""

import io
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import manimgx_fonts
import noto_cjk_sans_otc
import pymupdf_fonts
from PIL import ImageDraw, ImageFont

Color = tuple[int, int, int]
Font = ImageFont.FreeTypeFont
_Run = tuple[Font, str]

_MISSING = "\uffff"
"""No font has it: it is drawn as what stands for a missing character."""
_ELLIPSIS = "\u2026"
_SIMPLIFIED_CHINESE = 2
"""Which of the collection's faces; all have the characters of Chinese, Japanese and Korean."""


def _fira(size: float) -> Font:
    return ImageFont.truetype(io.BytesIO(pymupdf_fonts.myfont("figo")), size)


def _cjk(size: float) -> Font:
    folder = Path(noto_cjk_sans_otc.__file__).parent
    return ImageFont.truetype(folder / "NotoSansCJK-Regular.ttc", size, index=_SIMPLIFIED_CHINESE)


def _noto(file: Path) -> Callable[[float], Font]:
    return lambda size: ImageFont.truetype(file, size)


FONTS: tuple[Callable[[float], Font], ...] = (
    _fira,  # Latin, Cyrillic, Greek, Arabic, Hebrew, Devanagari, Thai, Georgian
    _cjk,
    # One for each of the other scripts of India, Ethiopic, Armenian, Khmer, Lao and Burmese; symbols, emoji.
    *(_noto(file) for file in sorted(Path(manimgx_fonts.__file__).parent.glob("NotoSans*[[]wght].ttf"))),
    *(_noto(file) for file in sorted(Path(manimgx_fonts.__file__).parent.glob("NotoEmoji[[]wght].ttf"))),
)


def draw_name(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    names: Sequence[str],
    *,
    size: float,
    room: float,
    ink: Color,
) -> None:
    """Write the first of the names all of whose characters some font has, or the last of them.

    `place` is the left end of its baseline; it is cut where it is wider than `room` pixels.
    """
    x, y = place
    for font, text in _fitted(_chosen(names, size), size, room):
        draw.text((x, y), text, fill=ink, font=font, anchor="ls")
        x += font.getlength(text)


def name_width(names: Sequence[str], *, size: float, room: float) -> float:
    """Pixels that `draw_name` takes of the room."""
    return sum(font.getlength(text) for font, text in _fitted(_chosen(names, size), size, room))


def can_draw(name: str, size: float) -> bool:
    """Whether some font has each of its characters."""
    return all(any(_has(font, char) for font in _fonts(size)) for char in _plain(name))


def _chosen(names: Sequence[str], size: float) -> str:
    return _plain(next((name for name in names if can_draw(name, size)), names[-1]))


def _plain(name: str) -> str:
    """On one line, and of characters that can be encoded."""
    text = name.encode(errors="replace").decode()
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)


def _fitted(text: str, size: float, room: float) -> list[_Run]:
    runs = _runs(text, size)
    while len(text) > 1 and sum(font.getlength(part) for font, part in runs) > room:
        text = text.removesuffix(_ELLIPSIS)[:-1] + _ELLIPSIS
        runs = _runs(text, size)
    return runs


def _runs(text: str, size: float) -> list[_Run]:
    fonts = _fonts(size)
    for font in fonts:
        if all(_has(font, char) for char in text):
            return [(font, text)]
    runs: list[_Run] = []
    for char in text:
        present = runs[-1][0] if runs else fonts[0]
        stays = not char.isalpha() and _has(present, char)
        font = present if stays else next((one for one in fonts if _has(one, char)), fonts[0])
        if runs and font is present:
            runs[-1] = font, runs[-1][1] + char
        else:
            runs.append((font, char))
    return runs


@cache
def _fonts(size: float) -> tuple[Font, ...]:
    return tuple(font(size) for font in FONTS)


@lru_cache(maxsize=10_000)
def _has(font: Font, char: str) -> bool:
    """Whether the font has the character; what is not drawn, such as a joiner, every font has."""
    if char.isspace() or unicodedata.category(char) in ("Cf", "Mn"):
        return True
    return bytes(font.getmask(char)) != _mark_of_missing(font)


@cache
def _mark_of_missing(font: Font) -> bytes:
    return bytes(font.getmask(_MISSING))
