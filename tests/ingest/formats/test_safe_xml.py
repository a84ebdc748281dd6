"""XML is read element by element, each within bounds."""

import io

import pytest

from workers.ingest.problems import Refused
from workers.ingest.text import safe_xml
from workers.ingest.text.safe_xml import xml_elements


def document(images: int, inner: str) -> io.BytesIO:
    body = f"<image><part>{inner}</part></image>" * images
    return io.BytesIO(f"<set><meta>about</meta><other><image/></other>{body}</set>".encode())


def test_the_outermost_elements_of_a_tag_come_whole() -> None:
    found = list(xml_elements(document(3, "a<image/>b"), ("meta", "image")))
    assert [element.tag for element in found] == ["meta", "image", "image", "image", "image"]
    assert found[0].text == "about"
    assert found[-1].findtext("part") == "a"


def test_parts_of_one_element_are_bounded_and_their_sum_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_xml, "MAX_PARTS", 12)
    assert len(list(xml_elements(document(100, "<pt/>" * 10), ("image",)))) == 101
    with pytest.raises(Refused) as refusal:
        list(xml_elements(document(1, '<pt x="1"/>' * 6), ("image",)))
    assert refusal.value.problem_code == "annotation_too_large"


def test_bytes_of_one_element_are_bounded_and_their_sum_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_xml, "MAX_BYTES", 1000)
    monkeypatch.setattr(safe_xml, "_CHUNK", 100)
    assert len(list(xml_elements(document(50, "x" * 700), ("image",)))) == 51
    with pytest.raises(Refused) as refusal:
        list(xml_elements(document(1, "x" * 1500), ("image",)))
    assert refusal.value.problem_code == "annotation_too_large"
