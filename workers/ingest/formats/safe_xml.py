"""Reads XML that nobody vouches for: document types, and with them entities, are refused."""

from collections.abc import Collection, Iterator
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from workers.ingest.problems import Refused

_CHUNK = 1 << 20


def xml_elements(data: bytes, tags: Collection[str]) -> Iterator[Element]:
    """The outermost elements of these tags, in order, as soon as each is whole; the memory of each is freed.

    Raises Refused where the XML is broken or has a document type (entities can unpack without bounds, and
    name files).
    """
    builder = TreeBuilder()
    ready: list[Element] = []

    def end(tag: str) -> None:
        element = builder.end(tag)
        if tag in tags:
            ready.append(element)

    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for start in range(0, len(data), _CHUNK):
            parser.Parse(data[start : start + _CHUNK], False)
            while ready:
                element = ready.pop(0)
                yield element
                element.clear()
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # unknown encodings, too
        raise Refused(
            "annotation_xml", f"The file cannot be read as XML: {error}.", "Export the file again."
        ) from error


def _refuse_doctype(*_: object) -> None:
    raise Refused(
        "annotation_xml",
        "The XML has a document type (<!DOCTYPE ...>), which is not read.",
        "Take the document type and its entities out, or export the file again.",
    )
