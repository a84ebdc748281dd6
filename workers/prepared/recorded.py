"""Opens the version of a data set that a run was submitted for, or says that it is there no more."""

from pathlib import Path

from trainyard.datasets.prepared_index import INDEX_FILE, read_index
from trainyard.datasets.record import Kind
from trainyard.datasets.stored_objects import OBJECTS_FILE, OUTLINES_FILE, RECORD
from trainyard.errors import BrokenFile, DatasetChanged, Unreadable
from trainyard.storage.errors import storage_error
from workers.prepared.version import PreparedDataset

FILES: dict[Kind, str] = {"boxes": OBJECTS_FILE, "outlines": OUTLINES_FILE}
"""Those beside images.bin and the file of masks, by the kind of annotation that they hold."""


def open_version(folder: Path, content_hash: str | None) -> PreparedDataset:
    """The prepared set of a folder; `content_hash` is the one the run recorded, None where any will do.

    Raises DatasetChanged where it is missing, of another content, or cut short; StorageUnavailable.
    """
    try:
        return _checked(folder, content_hash)
    except OSError as error:
        raise storage_error(f"The prepared version {folder.name} could not be read", error) from error


def _checked(folder: Path, content_hash: str | None) -> PreparedDataset:
    _check_file(folder / INDEX_FILE)
    try:
        index = read_index(folder)
    except (BrokenFile, Unreadable) as error:
        raise DatasetChanged(
            f"index.json of the prepared version {folder.name} is broken: {error.message}"
        ) from error
    own = [name for kind, name in FILES.items() if kind in index.kinds]
    masks = [index.mask_file] if "masks" in index.kinds else []
    for name in ("images.bin", *masks, *own):
        _check_file(folder / name)
    prepared = PreparedDataset(folder, index)
    if content_hash is not None and prepared.content_hash != content_hash:
        raise DatasetChanged(
            f"The run was submitted for the content {content_hash[:16]} of its data set, and the prepared "
            f"files are of {prepared.content_hash[:16]}."
        )
    _check_sizes(folder, prepared)
    return prepared


def _check_file(file: Path) -> None:
    if not file.is_file() or not file.stat().st_size:
        raise DatasetChanged(
            f"The prepared version {file.parent.name} of the set has no {file.name} any more."
        )


def _check_sizes(folder: Path, prepared: PreparedDataset) -> None:
    """Raise DatasetChanged where a file is too short for its samples, which mapping it would not tell."""
    pixels = [(sample, sample.height * sample.width) for sample in prepared.samples]
    needed = {"images.bin": max((sample.image_offset + 3 * size for sample, size in pixels), default=0)}
    if "masks" in prepared.kinds:
        end = max((sample.mask_offset + size for sample, size in pixels), default=0)
        needed[prepared.mask_file] = prepared.mask_planes * end
    if "boxes" in prepared.kinds:
        records = max((sample.first_object + sample.objects for sample in prepared.samples), default=0)
        needed[OBJECTS_FILE] = records * RECORD.size
    for name, least in needed.items():
        _check_size(folder / name, least)
    if "outlines" in prepared.kinds:
        _check_size(folder / OUTLINES_FILE, prepared.outline_bytes())


def _check_size(file: Path, least: int) -> None:
    found = file.stat().st_size
    if found < least:
        raise DatasetChanged(
            f"{file.name} of the prepared version {file.parent.name} is cut short: {found} of {least} bytes."
        )
