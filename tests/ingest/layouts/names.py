"""What files of one folder are called: numbers, tiles, dates, hashes, words of several languages."""

import re
import unicodedata
import uuid
from collections.abc import Callable
from random import Random

from tests.ingest.layouts.layout import Draw

NUMBERED = ("plain", "text and number", "parentheses", "dotted")
"""Styles whose last number can be padded with zeros."""
LETTERED = ("text and number", "tiles with text", "uuid", "words", "camera", "series", "parentheses")
"""Styles whose letters may differ in case."""
ACCENTED = ("accents",)

_TEXTS = (
    "img",
    "scan",
    "frame_",
    "tile-",
    "Sample ",
    "case_",
    "s",
    "IMG_",
    "photo",
    "cell",
    "DJI_",
    "ISIC_",
    "slice",
)
_WORDS = (
    "bridge", "harbour", "meadow", "old mill", "quarry", "Station", "north_gate", "orchard", "ridge",
    "tower", "canal",
    "dock", "airfield", "stadium", "vineyard", "lake-side", "square", "depot", "terrace", "Marsh", "cliff",
    "farm",
    "garden", "island", "jetty", "kiln", "lodge", "nursery", "oasis", "pier", "ruin", "spring", "temple",
    "urban",
)  # fmt: skip
_ACCENTS = ("Größe {}", "café-{}", "über_{}", "Çekim{}", "señal {}", "Ångström_{}")
_DATES = ("202103{:02}_10{:02}{:02}", "2021-03-{:02}_10-{:02}-{:02}", "2021-03-{:02} 10.{:02}.{:02}")
_SCRIPTS = ("снимок_{}", "图像{}", "圖 {}", "صورة_{}", "画像{}")

_LAST_NUMBER = re.compile(r"\d+(?=\D*\Z)")

Stem = Callable[[int], str]
"""The name of the file of that number, without ending."""


def _tiles(random: Random) -> Stem:
    """Numbers of columns and rows: `0_1` and `1_0` are two files."""
    side = random.choice((3, 4))
    between, text = random.choice("_-x"), random.choice(("", "", "area{}_", "tile_", "top_mosaic_"))

    def stem(i: int) -> str:
        return f"{text.format(i // side**2 + 1)}{i // side % side}{between}{i % side}" + _layer(text, i, side)

    return stem


def _layer(text: str, i: int, side: int) -> str:
    return "" if "{}" in text or i < side**2 else f"_{i // side**2}"


def _three_numbers(random: Random) -> Stem:
    base = random.randint(1, 4)
    return lambda i: f"{base + i // 4}_{i % 2}_{base + i % 4 // 2}"


def _dates(random: Random) -> Stem:
    day, form = random.randint(1, 9), random.choice(_DATES)
    return lambda i: form.format(day + i // 5, 7 * i % 60, 13 * i % 60)


def _uuids(random: Random) -> Stem:
    made = [str(uuid.UUID(int=random.getrandbits(128))) for _ in range(200)]
    return made.__getitem__


def _hashes(random: Random) -> Stem:
    made = [f"{random.getrandbits(64):016x}" for _ in range(200)]
    return made.__getitem__


def _series(random: Random) -> Stem:
    text = random.choice(
        ("MCUCXR_{:04}_{}", "CHNCXR_{:04}_{}", "TCGA_CS_{}_1999_{}", "Img{:03}_Z{}", "p{}s{}")
    )
    return lambda i: text.format(i // 3 + 11, i % 3)


def _words(random: Random) -> Stem:
    words = random.sample(_WORDS, len(_WORDS))
    return lambda i: words[i % len(words)] + ("" if i < len(words) else f" {i}")


def _frames(random: Random) -> Stem:
    start, step = random.randint(0, 200), random.choice((5, 10, 30))
    return lambda i: f"Seq05VD_f{start + step * i:05}"


def _templated(templates: tuple[str, ...]) -> Callable[[Random], Stem]:
    def make(random: Random) -> Stem:
        template, start = random.choice(templates), random.choice((0, 1, 1, 7))
        return lambda i: template.format(i + start)

    return make


STYLES: dict[str, Callable[[Random], Stem]] = {
    "plain": _templated(("{}",)),
    "padded": _templated(("{:03}", "{:05}")),
    "text and number": _templated(tuple(text + "{}" for text in _TEXTS)),
    "text and padded": _templated(tuple(text + "{:04}" for text in _TEXTS)),
    "parentheses": _templated(("benign ({})", "img ({})", "photo({})")),
    "dotted": _templated(("cat.{}", "v1.2.{}", "S.{}")),
    "tiles": _tiles,
    "tiles with text": lambda random: _prefixed(random.choice(("Austin_", "Potsdam-", "r")), _tiles(random)),
    "three numbers": _three_numbers,
    "dates": _dates,
    "uuid": _uuids,
    "hash": _hashes,
    "series": _series,
    "words": _words,
    "camera": _templated(("DSC0{}", "IMG_20{:02}", "DJI_00{:02}")),
    "frames": _frames,
    "accents": _templated(_ACCENTS),
    "other scripts": _templated(_SCRIPTS),
}


def _prefixed(text: str, stem: Stem) -> Stem:
    return lambda i: text + stem(i)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _taken_apart(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def draw_stems(draw: Draw) -> tuple[Stem, Stem]:
    """The names of images and of their masks, which may differ in case, in zeros or in Unicode's form."""
    style = draw.pick("names", tuple(STYLES))
    image = STYLES[style](draw.random)
    if style in NUMBERED and draw.chance(0.3):
        return _padded_on_one_side(draw, image)
    if style in LETTERED and draw.chance(0.25):
        draw.traits["names differ"] = "in case"
        change = draw.one_of((str.upper, str.lower))
        return image, lambda i: change(image(i))
    if style in ACCENTED and draw.chance(0.5):
        draw.traits["names differ"] = "in unicode's form"
        one, other = (_composed, _taken_apart) if draw.chance(0.5) else (_taken_apart, _composed)
        return lambda i: one(image(i)), lambda i: other(image(i))
    return image, image


def _padded_on_one_side(draw: Draw, stem: Stem) -> tuple[Stem, Stem]:
    draw.traits["names differ"] = "in zeros"
    width = draw.one_of((2, 3, 4))

    def padded(i: int) -> str:
        return _LAST_NUMBER.sub(lambda number: number[0].zfill(width), stem(i))

    return (padded, stem) if draw.chance(0.5) else (stem, padded)
