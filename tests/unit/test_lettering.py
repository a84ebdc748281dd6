"""Names of any script are drawn as they are, within their room, and never as rows of boxes."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, features

from trainyard.lettering import can_draw, draw_name

SIZE = 15
INK = (0, 0, 0)
SCRIPTS = {
    "Latin": "Straße ñ ğ ő Łódź",
    "Cyrillic": "Вода и дорога",
    "Greek": "Ελληνικά",
    "Chinese": "背景 水田 建物",
    "traditional": "道路 建築物",
    "Japanese": "ひらがな カタカナ",
    "Korean": "배경 도로",
    "Arabic": "خلفية طريق",
    "Hebrew": "רקע כביש",
    "Hindi": "पृष्ठभूमि क्षेत्र",
    "Bengali": "পটভূমি রাস্তা",
    "Tamil": "பின்னணி சாலை",
    "Telugu": "నేపథ్యం రోడ్డు",
    "Thai": "พื้นหลัง ถนน",
    "Georgian": "ქართული",
    "Armenian": "ճանապարհ",
    "Amharic": "መንገድ",
    "Gujarati": "રસ્તો",
    "Punjabi": "ਸੜਕ",
    "Kannada": "ರಸ್ತೆ",
    "Malayalam": "റോഡ്",
    "Odia": "ରାସ୍ତା",
    "Sinhala": "පාර",
    "Khmer": "ផ្លូវ",
    "Lao": "ຖະໜົນ",
    "Burmese": "လမ်း",
    "emoji": "🚗 car",
    "joined emoji": "👨\u200d👩\u200d👧 ❤\ufe0f",
    "symbols": "≥ 5 m² → ☀",
    "mixed": "road-道路 дорога (طريق)",
}
MISSING = {"Cherokee": "ᏣᎳᎩ", "lone surrogate": "\ud800\udfffᏣ"}


def drawn(*names: str, room: float = 400) -> np.ndarray:
    picture = Image.new("RGB", (500, 40), (255, 255, 255))
    draw_name(ImageDraw.Draw(picture), (4, 28), names, size=SIZE, room=room, ink=INK)
    return np.asarray(picture)


def width(picture: np.ndarray) -> int:
    return int(np.nonzero((picture < 200).any(axis=(0, 2)))[0].max()) - 4


@pytest.mark.parametrize("name", SCRIPTS.values(), ids=SCRIPTS)
def test_each_script_has_a_font(name: str):
    assert can_draw(name, SIZE)
    picture = drawn(name, "class 1")
    assert (picture < 128).any()
    assert not np.array_equal(picture, drawn("class 1"))


@pytest.mark.parametrize("name", MISSING.values(), ids=MISSING)
def test_what_no_font_has_is_told_otherwise(name: str):
    assert not can_draw(name, SIZE)
    assert np.array_equal(drawn(name, "class 1"), drawn("class 1"))


def test_what_is_joined_or_goes_from_right_to_left_is():
    assert features.check("raqm"), "the wheels of Pillow have it"
    joined, apart = width(drawn("خلفية")), sum(width(drawn(char)) for char in "خلفية")
    assert joined < 0.9 * apart


@pytest.mark.parametrize("name", [*SCRIPTS.values(), "x" * 500, "道" * 200], ids=str)
@pytest.mark.parametrize("room", [40, 90])
def test_it_is_cut_where_it_is_too_wide(name: str, room: int):
    assert width(drawn(name, room=room)) <= room + 4


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x00b"])
def test_it_stays_on_its_line(name: str):
    assert np.array_equal(drawn(name), drawn("a b"))


def test_no_name_is_nothing():
    assert (drawn("") == 255).all()
