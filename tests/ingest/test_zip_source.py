"""Small members of a zip are read at once: as zipfile reads them, or refused."""

import zipfile
from pathlib import Path

import pytest

from workers.ingest.archive import ArchiveLimits
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.upload.listing import Listing
from workers.ingest.upload.pread_file import Extent
from workers.ingest.upload.zip_source import ZipSource

CONTENT = b"pixels of a mask " * 200


def made(tmp_path: Path, method: int, name: str = "masks/a.png") -> Path:
    """A zip of two files, the first of which has CONTENT."""
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, CONTENT)
        archive.writestr("masks/b.png", b"another")
    return path


def opened(path: Path) -> ZipSource:
    """The zip as a source without names that need an encoding."""
    return ZipSource(Extent(path), Listing(ArchiveLimits(), None, ProblemLog()))


METHODS = pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])


@METHODS
@pytest.mark.parametrize("name", ["masks/a.png", "masks/ä.png"])
def test_members_are_read_as_they_were_written(tmp_path: Path, method: int, name: str) -> None:
    source = opened(made(tmp_path, method, name))
    first = next(member for member in source.members if member.path == name)
    assert source.read(first) == CONTENT
    with source.open(first) as file:
        assert file.read() == CONTENT
    source.close()


@METHODS
@pytest.mark.parametrize("place", ["name", "first byte", "a later byte", "signature"])
def test_a_member_that_was_changed_is_damaged(tmp_path: Path, method: int, place: str) -> None:
    path = made(tmp_path, method)
    source = opened(path)
    first = source.members[0]
    with zipfile.ZipFile(path) as archive:
        packed = archive.infolist()[0].compress_size
    start = 30 + len("masks/a.png")
    at = {"name": 31, "first byte": start, "a later byte": start + packed // 2, "signature": 0}[place]
    data = bytearray(path.read_bytes())
    data[at] ^= 0x55
    path.write_bytes(data)
    with pytest.raises(Refused) as refused:
        source.read(first)
    assert refused.value.problem_code == "file_damaged"
    source.close()
