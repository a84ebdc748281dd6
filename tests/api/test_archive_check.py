"""An upload that was cut short is refused at once where its last bytes tell."""

import bz2
import gzip
import io
import lzma
import random
import tarfile
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.service.datasets import archive_check
from tests.api.conftest import archive, upload


def tar(files: int = 3, size: int = 4000, format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of noise, so that it does not pack to nothing, with links and folders in it."""
    chance = random.Random(0)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as made:
        for index in range(files):
            info = tarfile.TarInfo(f"images/{'é' * 60}{index}.png")
            info.size = size + index
            made.addfile(info, io.BytesIO(chance.randbytes(info.size)))
        for kind in (tarfile.SYMTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("other")
            info.type, info.linkname = kind, "images"
            made.addfile(info)
    return buffer.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}


@pytest.mark.parametrize("kind", ["zip", *PACK])
def test_an_upload_that_is_cut_off_is_refused(client: FlaskClient, kind: str):
    data = archive(files=3, padding=4000) if kind == "zip" else PACK[kind](tar())
    whole = len(data.rstrip(b"\0")) if kind == "tar" else len(data)
    assert upload(client, data).status_code == 202
    cuts = {0, 1, 5, 11, 20, 40, *range(0, whole, whole // 23), whole - 3, whole - 1}
    for cut in sorted(cuts):
        response = upload(client, data[:cut])
        assert response.status_code == 422, cut
        assert response.json["cause"] == "user"
        assert "cut short" in response.json["message"]
        assert "file" in response.json["errors"]


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_whole_ones_are_taken(client: FlaskClient, kind: str, format: int):
    short = tar(files=0, format=format)
    packed = [PACK[kind](tar(format=format) if format != tarfile.USTAR_FORMAT else short)]
    packed.append(packed[0] + bytes(512))  # as tapes end
    if kind != "tar":
        packed.append(PACK[kind](tar()[:3001]) + PACK[kind](tar()[3001:]))
        packed.append(PACK[kind](tar()) + PACK[kind](b""))
    for data in packed:
        assert upload(client, data).status_code == 202


def test_a_gzip_whose_length_tells_nothing_is_read(client: FlaskClient):
    """Streams one after the other: the last has a length of no whole blocks, cut off or not."""
    data = gzip.compress(tar()[:3001]) + gzip.compress(tar()[3001:])
    assert upload(client, data).status_code == 202
    assert upload(client, data[:-10]).status_code == 422


def test_a_large_gzip_is_not_read_as_a_whole(client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    """It is accepted, and ingest finds out."""
    monkeypatch.setattr(archive_check, "_MOST_UNPACKED", 3000)
    monkeypatch.setattr(archive_check, "_PIECE", 2048)
    data = gzip.compress(tar())
    cut = next(
        place for place in range(len(data) - 9, 0, -1) if int.from_bytes(data[place - 4 : place]) % 512
    )
    assert upload(client, data[:cut]).status_code == 202


@pytest.mark.parametrize("kind", PACK)
def test_odd_bytes_are_never_a_fault(client: FlaskClient, kind: str):
    chance = random.Random(1)
    whole = PACK[kind](tar(files=1, size=600))
    for _ in range(60):
        data = bytearray(whole[: chance.choice((len(whole), 300, 50))])
        for _ in range(chance.choice((1, 5, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        assert upload(client, bytes(data)).status_code in (202, 422)


@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"no tar" * 200), lzma.compress(b""), bz2.compress(b"x" * 2000)],
    ids=["gzip", "xz", "bzip2"],
)
def test_what_is_packed_and_no_tar_is_refused(client: FlaskClient, data: bytes):
    assert upload(client, data).status_code == 422
