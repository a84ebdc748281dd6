"""The content of INI, TOML and XML files that may name classes, in the form of JSON's."""

import configparser
import io
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from workers.ingest.classes.named_classes import Unread
from workers.ingest.problems import Refused
from workers.ingest.text.safe_xml import xml_elements

_DECLARATION = re.compile(r"\s*<\?xml.*?\?>", re.DOTALL)
_FIRST_TAG = re.compile(r"<([^\W\d][\w.:-]*)")
_IDS = frozenset(("id", "value", "index"))
_TOP = "classes"
"""The section of what stands before the first."""
_IN_A_ROW = re.compile(r"[,;\n]")
_CHANNELS = {"red": "r", "green": "g", "blue": "b", "r": "r", "g": "g", "b": "b"}


def parsed_ini(text: str) -> object:
    """What an INI file holds: a value with commas, or of several lines, is a list; raises Unread.

    Of sections that are a class each (`[cat]`, `id = 1`) a list of objects is made.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text if text.lstrip().startswith("[") else f"[{_TOP}]\n{text}")
    except configparser.Error as error:
        raise Unread("it is no INI file") from error
    sections = {name: _section(parser[name]) for name in parser.sections()}
    if len(sections) > 1 and all(_IDS & section.keys() for section in sections.values()):
        return [{"name": name, **section} for name, section in sections.items()]
    if len(sections) == 1:
        [section] = sections.values()
        lists = [value for value in section.values() if isinstance(value, list)]
        return lists[0] if len(section) == len(lists) == 1 else section
    listed = {key.casefold(): value for one in sections.values() for key, value in one.items()}
    return listed | {name.casefold(): section for name, section in sections.items()}


def parsed_toml(text: str) -> object:
    """What a TOML file holds; raises Unread."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unread("it is no TOML") from error


def parsed_xml(text: str) -> object:
    """The elements of an XML file that come again, as a list: their texts, or objects of their attributes and
    of the elements in them; raises Unread."""
    plain = _DECLARATION.sub("", text, count=1)
    first = _FIRST_TAG.search(plain)
    if first is None:
        raise Unread("it is no XML")
    try:
        root = next(xml_elements(io.BytesIO(plain.encode()), (first[1],)), None)
    except Refused as refusal:
        raise Unread(refusal.message) from refusal
    found = [] if root is None else list(_entries(root))
    if not found:
        raise Unread("there are no classes in it")
    tag = Counter(tag for tag, _ in found).most_common(1)[0][0]
    return [entry for name, entry in found if name == tag]


def _section(section: Mapping[str, str]) -> dict[str, object]:
    return {key: _value(value) for key, value in section.items()}


def _value(text: str) -> object:
    parts = [part.strip() for part in _IN_A_ROW.split(text) if part.strip()]
    return parts if len(parts) > 1 else text.strip()


def _entries(parent: Element) -> Iterator[tuple[str, object]]:
    """The elements below one that have no elements with further ones: one for each class, by its tag."""
    for element in parent:
        if any(len(child) and not _is_color(child) for child in element) or (
            len(element) and not _has_name(element)
        ):
            yield from _entries(element)
        else:
            yield element.tag, _entry(element)


def _has_name(element: Element) -> bool:
    said = {child.tag.casefold() for child in element} | {key.casefold() for key in element.attrib}
    return bool(said & {"name", "label", "title", "class_name"})


def _is_color(element: Element) -> bool:
    return {child.tag.casefold() for child in element} <= _CHANNELS.keys()


def _entry(element: Element) -> object:
    text = (element.text or "").strip()
    entry: dict[str, object] = {key.casefold(): value for key, value in element.attrib.items()}
    for child in element:
        key = child.tag.casefold()
        entry[key] = _channels(child) if len(child) else (child.text or "").strip()
    if not entry:
        return text
    return {"name": text, **entry} if text and "name" not in entry else entry


def _channels(element: Element) -> list[int]:
    parts = {_CHANNELS[child.tag.casefold()]: (child.text or "").strip() for child in element}
    return [int(parts[key]) for key in "rgb" if parts.get(key, "").isdigit()]
