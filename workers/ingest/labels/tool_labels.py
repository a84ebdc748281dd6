"""Labels of whole images in exports of annotation tools, as tables: tags of CVAT, choices of Label Studio,
categories of COCO without boxes or outlines.

A file that outlines or boxes anything is of no such set: what is in it is more than labels.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from workers.ingest.archive import Member
from workers.ingest.formats.tools.cvat import Cvat
from workers.ingest.formats.tools.label_studio import LabelStudio, image_paths, without_prefix
from workers.ingest.items import Source
from workers.ingest.labels.tables import Cell, Table
from workers.ingest.paths.index import PathIndex
from workers.ingest.problems import Refused
from workers.ingest.text.json_stream import elements
from workers.ingest.text.safe_xml import xml_elements
from workers.ingest.text.sniff import largest, mentions
from workers.ingest.text.typed_json import listing, mapping, parse_json, text

HEADS = ("file", "label")
_LARGEST_COCO = 64 << 20
_SHAPELESS = frozenset(("tag", "attribute"))
_GEOMETRY = ("bbox", "segmentation", "keypoints")

_Row = tuple[str, tuple[str, ...]]


def tool_tables(source: Source, index: PathIndex) -> list[Table]:
    """A table for each export that names labels of the upload's pictures, and nothing in them."""
    members = [
        *((member, _cvat_rows(source, member)) for member in Cvat().evidence(source)),
        *((member, _choice_rows(source, member, index)) for member in LabelStudio().evidence(source)),
        *((member, _category_rows(source, member)) for member in _coco(source)),
    ]
    return [one for member, rows in members if (one := _table(member.path, rows, index)) is not None]


def _table(path: str, rows: Iterator[_Row], index: PathIndex) -> Table | None:
    try:
        cells: list[Sequence[Cell]] = list(rows)
    except (Refused, _Shapes):
        return None
    has_labels = any(labels for _, labels in cells)
    known = sum(bool(index.find(str(file), path)) for file, _ in cells)
    return Table(path, HEADS, cells, 0) if has_labels and 2 * known >= len(cells) else None


def _coco(source: Source) -> list[Member]:
    words = (b'"categories"', b'"annotations"', b'"category_id"')
    return [member for member in largest(source, ".json") if mentions(source, member, *words)]


class _Shapes(Exception):
    """Raised for a file that outlines or boxes something."""


def _cvat_rows(source: Source, member: Member) -> Iterator[_Row]:
    with source.open(member) as file:
        for element in xml_elements(file, ("image", "track")):
            if element.tag == "track" or any(part.tag not in _SHAPELESS for part in element):
                raise _Shapes
            name = text(element.get("name"), "the name of an image")
            subset = element.get("subset")
            tags = (text(tag.get("label"), "label") for tag in element.iter("tag"))
            yield f"{subset}/{name}" if subset else name, tuple(dict.fromkeys(tags))


def _choice_rows(source: Source, member: Member, index: PathIndex) -> Iterator[_Row]:
    with source.open(member) as file:
        for entry in elements(file):
            task = mapping(entry, "the task")
            referenced = [one for path in image_paths(task) for one in (path, without_prefix(path))]
            found = next(
                (one for one in referenced if index.find(one, member.path)),
                referenced[0] if referenced else "",
            )
            yield found, tuple(dict.fromkeys(_choices(task)))


def _choices(task: dict[str, object]) -> Iterator[str]:
    """Those of the newest annotation that was not cancelled."""
    entries = [mapping(one, "an annotation") for one in listing(task.get("annotations"), "annotations")]
    usable = [one for one in entries if not one.get("was_cancelled")]
    for entry in listing(usable[-1].get("result"), "result") if usable else ():
        value = mapping(mapping(entry, "the result").get("value"), "value")
        if "choices" not in value:
            raise _Shapes
        yield from (text(one, "a choice") for one in listing(value["choices"], "choices"))


def _category_rows(source: Source, member: Member) -> Iterator[_Row]:
    if member.size > _LARGEST_COCO:
        return
    document = mapping(parse_json(source.read(member)), "the file")
    names = {
        about.get("id"): text(about.get("name"), "the name of a category")
        for about in (mapping(one, "a category") for one in listing(document.get("categories"), "categories"))
    }
    labels: defaultdict[object, list[str]] = defaultdict(list)
    for one in listing(document.get("annotations"), "annotations"):
        about = mapping(one, "an annotation")
        if any(about.get(key) for key in _GEOMETRY):
            raise _Shapes
        if about.get("category_id") in names:
            labels[about.get("image_id")].append(names[about["category_id"]])
    for one in listing(document.get("images"), "images"):
        image = mapping(one, "an image")
        file = str(PurePosixPath(text(image.get("file_name"), "file_name")))
        yield file, tuple(dict.fromkeys(labels.get(image.get("id"), ())))
