"""Says which annotations of an upload are not read, as others are."""

import posixpath
from collections.abc import Sequence

from trainyard.datasets.record import PICTURES
from workers.ingest.archive import Member
from workers.ingest.formats.catalogue import Recognised
from workers.ingest.formats.detections import box_files
from workers.ingest.items import Format, FoundSet, Source
from workers.ingest.problems import ProblemLog


def report_outlines(taken: Recognised, other: Recognised, file: str, images: int, log: ProblemLog) -> None:
    """Warn of another format's annotations, or masks, such as `file`, of so many images."""
    name = other.form.name
    what = "masks that are pictures" if name == PICTURES else f"annotations of the format {name}"
    log.warning(
        "masks_left_out" if name == PICTURES else "annotations_left_out",
        file,
        f"{images} images have {what}, too, which are left out; the format {taken.form.name} is read.",
        f"Nothing, if that is meant; else send `format: {name}` to have these read.",
    )


def report_boxes(
    taken: Format,
    found: FoundSet,
    outlining: Sequence[Recognised],
    boxes: Sequence[Recognised],
    source: Source,
    log: ProblemLog,
) -> None:
    """Warn of files that have boxes alone: of the formats `boxes`, and of formats that are not read. `found`
    is what the format `taken` has read."""
    known = {_place(file.path) for one in (*outlining, *boxes) for file in one.files}
    known |= {_place(item.truth.file) for item in found.items}
    for one in boxes:
        name, places = one.form.name, {_place(file.path) for file in one.files}
        alike = [member for member in source.members if _place(member.path) in places]
        remedy = f"Nothing, if that is meant; else send `format: {name}` to have these boxes read."
        _warn(alike, f"of the format {name}", taken, remedy, log)
    for members in box_files(source):
        if _place(members[0].path) not in known:
            remedy = "Nothing, if that is meant; else export the boxes in a format that is read."
            _warn(members, "of a format that is not read", taken, remedy, log)


def _warn(files: Sequence[Member], kind: str, taken: Format, remedy: str, log: ProblemLog) -> None:
    log.warning(
        "boxes_left_out",
        files[0].path,
        f"{len(files)} file(s) such as this one, {kind}, have boxes and outline no object; they are left "
        f"out, and the format {taken.name} is read.",
        remedy,
    )


def _place(path: str) -> tuple[str, str]:
    """The folder and the ending of a file, which those of one export share."""
    folder, name = posixpath.split(path)
    return folder, posixpath.splitext(name)[1].casefold()
