"""Reads XML that nobody vouches for: document types, and with them entities, are refused."""

from collections.abc import Collection, Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from workers.ingest.problems import Refused

MAX_PARTS = 500_000
"""Elements and attributes within one element that is read; each takes about 500 bytes of memory."""

MAX_BYTES = 64 << 20
"""Bytes of the file that one element that is read may take."""

_CHUNK = 1 << 20


def xml_elements(file: BinaryIO, tags: Collection[str]) -> Iterator[Element]:
    """The outermost elements of these tags, in order, as soon as each is whole; nothing else is kept.

    Raises Refused where the XML is broken, an element is too large, or there is a document type (entities can
    unpack without bounds, and name files), and as the file does.
    """
    parser = expat.ParserCreate()
    elements = _Elements(parser, tags)
    fed = 0
    try:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk, False)
            fed += len(chunk)
            yield from elements.taken()
            if fed - elements.ended > MAX_BYTES and elements.begun:
                raise _too_large(f"{MAX_BYTES} bytes")
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # unknown encodings, too
        raise Refused(
            "annotation_xml", f"The file cannot be read as XML: {error}.", "Export the file again."
        ) from error


class _Elements:
    """Builds the elements that are asked for; `ended` is the place in the file where the last one did."""

    def __init__(self, parser: expat.XMLParserType, tags: Collection[str]) -> None:
        self._parser = parser
        self._tags = tags
        self._builder = TreeBuilder()
        self._depth = 0
        self._parts = 0
        self._ready: list[Element] = []
        self.ended = 0
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse_doctype

    @property
    def begun(self) -> bool:
        """Whether an element has begun and not ended."""
        return self._depth > 0

    def taken(self) -> list[Element]:
        """The elements that are whole, each given out once."""
        ready, self._ready = self._ready, []
        return ready

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._depth and tag not in self._tags:
            return
        self._depth += 1
        self._parts += 1 + len(attributes)
        if self._parts > MAX_PARTS:
            raise _too_large(f"{MAX_PARTS} elements and attributes")
        self._builder.start(tag, attributes)

    def _end(self, tag: str) -> None:
        if not self._depth:
            return
        self._builder.end(tag)
        self._depth -= 1
        if not self._depth:
            self._ready.append(self._builder.close())
            self._builder = TreeBuilder()
            self._parts = 0
            self.ended = self._parser.CurrentByteIndex

    def _text(self, data: str) -> None:
        if self.begun:
            self._builder.data(data)


def _too_large(bound: str) -> Refused:
    return Refused(
        "annotation_too_large",
        f"The annotation of one image has more than {bound}.",
        "Draw it with fewer points, or send the image in tiles.",
    )


def _refuse_doctype(*_: object) -> None:
    raise Refused(
        "annotation_xml",
        "The XML has a document type (<!DOCTYPE ...>), which is not read.",
        "Take the document type and its entities out, or export the file again.",
    )
