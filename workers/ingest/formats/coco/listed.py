"""What the COCO files of an upload list: images and categories."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from workers.ingest.archive import Member
from workers.ingest.formats.coco import records as coco_records
from workers.ingest.formats.coco.files import coco_members
from workers.ingest.formats.coco.records import Category, ImageRecord, Key
from workers.ingest.items import Source
from workers.ingest.paths.split_folders import splits_of_names
from workers.ingest.problems import ProblemLog, Refused


@dataclass(frozen=True, kw_only=True)
class CocoFile:
    """One JSON file, without its annotations: those are read once all categories are known."""

    member: Member
    split: str | None
    images: list[ImageRecord]
    names: dict[Key, str]


def listed_files(source: Source, log: ProblemLog) -> tuple[list[CocoFile], list[Category]]:
    """The files to read, and all their categories."""
    members = coco_members(source)
    files: list[CocoFile] = []
    listed: list[Category] = []
    splits = splits_of_names([PurePosixPath(member.path).stem for member in members])
    for member, split in zip(members, splits, strict=True):
        try:
            with source.open(member) as file:
                images = list(coco_records.images(file))
            with source.open(member) as file:
                own = list(coco_records.categories(file))
            own = own or _unnamed(source, member, log)
        except Refused as refusal:
            log.refused(member.path, refusal)
            continue
        names = {category.key: category.name for category in own}
        files.append(CocoFile(member=member, split=split, images=images, names=names))
        listed += own
    return files, listed


def _unnamed(source: Source, member: Member, log: ProblemLog) -> list[Category]:
    """Categories for the ids that annotations have, of a file that lists none."""
    with source.open(member) as file:
        keys = {annotation.category for annotation in coco_records.annotations(file)} - {None}
    found = [Category(key=key, name=f"category_{key}", parent=None) for key in keys if key is not None]
    if found:
        log.warning(
            "categories_missing",
            member.path,
            f"The file lists no categories; its {len(found)} are named by their ids.",
            "Add the list `categories`, or name the classes when you upload the set.",
        )
    return found


def projects(listed: list[Category]) -> set[str]:
    """Names of categories with the id 0 that are the parent of all others: an exporter's name for the set."""
    roots = {one.name for one in listed if one.key == 0}
    parents = {one.parent for one in listed if one.name not in roots}
    return roots if len(roots) == 1 and parents == roots else set()
