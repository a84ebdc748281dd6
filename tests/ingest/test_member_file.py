"""Files read in pieces: all their bytes, no more, and a refusal where they are damaged."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from workers.ingest.archive import ArchiveLimits, Member
from workers.ingest.items import Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.upload.member_file import member_file
from workers.ingest.upload.open import open_source

DATA = np.random.default_rng(0).integers(0, 8, 3 << 20, dtype=np.uint8).tobytes()
FILES = {"a.json": DATA, "b.json": b"", "c.json": DATA[:1000]}
KINDS = ("deflated", "stored", "tar", "folder")


def upload(root: Path, kind: str) -> Path:
    path = root / kind
    if kind == "folder":
        path.mkdir()
        for name, data in FILES.items():
            (path / name).write_bytes(data)
    elif kind == "tar":
        with tarfile.open(path, "w") as archive:
            for name, data in FILES.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    else:
        method = zipfile.ZIP_DEFLATED if kind == "deflated" else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", method) as zipped:
            for name, data in FILES.items():
                zipped.writestr(name, data)
    return path


def pieces(source: Source, member: Member, size: int) -> bytes:
    with source.open(member) as file:
        return b"".join(iter(lambda: file.read(size), b""))


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_make_the_whole(tmp_path: Path, kind: str) -> None:
    beside = tmp_path / "beside"
    beside.write_bytes(DATA)
    annotation = (beside, "z.json")
    path = upload(tmp_path, kind)
    with open_source(path, annotation, tmp_path, ArchiveLimits(), ProblemLog()) as source:
        expected = FILES | {"z.json": DATA}
        for size in (999, 1 << 16, 5 << 20):
            assert {member.path: pieces(source, member, size) for member in source.members} == expected
        assert {member.path: source.read(member) for member in source.members} == expected


@pytest.mark.parametrize("kind", KINDS)
def test_two_files_are_read_by_turns(tmp_path: Path, kind: str) -> None:
    with open_source(upload(tmp_path, kind), None, tmp_path, ArchiveLimits(), ProblemLog()) as source:
        first, _, last = source.members
        with source.open(first) as one, source.open(last) as other:
            start, small, rest = one.read(100_000), other.read(), one.read()
    assert start + rest == DATA
    assert small == FILES["c.json"]


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_refused_when_it_is_reached(tmp_path: Path, kind: str) -> None:
    path = upload(tmp_path, kind)
    with open_source(path, None, tmp_path, ArchiveLimits(), ProblemLog()) as source:
        member = source.members[0]
        with source.open(member) as file:
            assert file.read(1000) == DATA[:1000]
            damaged = path / member.path if kind == "folder" else path
            with damaged.open("rb+") as raw:
                if kind in ("tar", "folder"):
                    raw.truncate(len(DATA) // 2)
                else:
                    raw.seek(damaged.stat().st_size // 2)
                    raw.write(bytes(range(256)))
            with pytest.raises(Refused) as refusal:
                file.read()
        assert refusal.value.problem_code == "file_damaged"
        with pytest.raises(Refused):
            source.read(member)


def test_no_more_is_read_than_declared() -> None:
    inner = io.BytesIO(b"0123456789")
    with member_file(inner, 4) as file:
        assert file.read() == b"0123"
        assert file.read() == b""
    assert inner.closed
