"""Whether an upload is a zip or tar archive, and a whole one, as far as its last bytes tell.

What is refused here is never good; what is cut off and passes is found when the set is ingested.
"""

import bz2
import lzma
import os
import struct
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO
from zipfile import is_zipfile

from trainyard.errors import InvalidRequest

_BLOCK = tarfile.BLOCKSIZE
_PIECE = 1 << 20
_MOST_UNPACKED = 2 << 30
"""Bytes that are unpacked at most to see whether a gzip is whole; it takes some seconds."""
_XZ_MEMORY = 128 << 20
"""Bytes that an xz may ask for to be unpacked."""
_MOST_HEADERS = 500_000
_LARGEST_PAX = 64 << 10
_END = 64 << 10
_WITHOUT_DATA = (
    tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE,
)  # fmt: skip
_BROKEN = (zlib.error, lzma.LZMAError, EOFError, ValueError)

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_BZIP2_END = 0x177245385090
"""The 48 bits in front of the check sum at the end of a bzip2 stream, which begin at any bit of a byte."""


def check_archive(path: Path) -> None:
    """Raise InvalidRequest for a file that is no archive or was cut short, OSError where storage fails."""
    with path.open("rb") as file:
        if not _is_whole_archive(file):
            raise InvalidRequest(
                "The file is neither a zip nor a tar archive, or it was cut short.",
                errors={
                    "file": [
                        "a whole zip archive, or tar archive (it ends in a block of zeros), also "
                        "compressed with gzip, bzip2 or xz"
                    ]
                },
            )


def _is_whole_archive(file: BinaryIO) -> bool:
    start = file.read(_PIECE)
    if start.startswith((_GZIP, _BZIP2, _XZ)):
        return _is_tar(_unpacked_start(start)) and _ends_well(file, start)
    if _is_tar(start):
        return not _is_cut_tar(file)
    return is_zipfile(file)


def _is_tar(start: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(start[:_BLOCK], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def _unpacked_start(start: bytes) -> bytes:
    """The first bytes of what is packed, none where they cannot be unpacked."""
    try:
        if start.startswith(_GZIP):
            return zlib.decompressobj(wbits=31).decompress(start, _BLOCK)
        if start.startswith(_BZIP2):
            return bz2.BZ2Decompressor().decompress(start, _BLOCK)
        return lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(start, _BLOCK)
    except (*_BROKEN, OSError):  # bz2 says OSError of broken data
        return b""


def _ends_well(file: BinaryIO, start: bytes) -> bool:
    """Whether the last bytes are those of a whole file of this compression; zeros may follow them."""
    end = _last_bytes(file, _END)
    if not any(end):
        return True  # the end lies further in front: ingest finds out
    if start.startswith(_XZ):  # 12 bytes: a check sum, what it is of, and YZ (xz file format, 2.1.2)
        footer = end.rstrip(b"\0")[-12:]
        return footer.endswith(b"YZ") and footer[:4] == struct.pack("<L", zlib.crc32(footer[4:10]))
    if start.startswith(_BZIP2):
        return _has_bzip2_end(end)
    # the last four bytes are the length of what was packed, and a tar's is one of whole blocks (RFC 1952)
    return int.from_bytes(end[-4:], "little") % _BLOCK == 0 or not _is_cut_gzip(file)


def _has_bzip2_end(end: bytes) -> bool:
    """Whether the mark of the end and a check sum of 32 bits are the last, but for up to 7 bits and zeros."""
    kept = end.rstrip(b"\0")
    for zeros in range(min(len(end) - len(kept), 5) + 1):  # the check sum may end in zeros, too
        bits = int.from_bytes(kept[-12:] + bytes(zeros), "big")
        if any((bits >> (32 + shift)) & 0xFFFFFFFFFFFF == _BZIP2_END for shift in range(8)):
            return True
    return False


def _is_cut_gzip(file: BinaryIO) -> bool:
    """Whether a gzip ends before its stream does, read as a whole: streams that follow one another may end
    in one of any length."""
    file.seek(0)
    unpacker, data, unpacked = zlib.decompressobj(wbits=31), file.read(_PIECE), 0
    begun = False
    try:
        while data and unpacked < _MOST_UNPACKED:
            begun = True
            unpacked += len(unpacker.decompress(data, _PIECE))
            data = unpacker.unconsumed_tail or (b"" if unpacker.eof else file.read(_PIECE))
            if unpacker.eof:
                data = (unpacker.unused_data or file.read(_PIECE)).lstrip(b"\0")
                unpacker, begun = zlib.decompressobj(wbits=31), False
    except zlib.error:
        return True
    return begun and not data


def _is_cut_tar(file: BinaryIO) -> bool:
    """Whether a tar ends before the zeros that mark its end; its headers are followed only without them."""
    if not any(_last_bytes(file, _BLOCK)):
        return False
    place = 0
    for _ in range(_MOST_HEADERS):
        file.seek(place)
        header = file.read(_BLOCK)
        if len(header) == _BLOCK and not any(header):
            return False
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except (tarfile.TarError, ValueError):
            return True
        if info.type in (tarfile.XHDTYPE, tarfile.XGLTYPE) and b" size=" in file.read(_LARGEST_PAX):
            return False  # the next header does not tell its size: ingest finds out
        place += _BLOCK + -(-_data_bytes(info) // _BLOCK) * _BLOCK
    return False


def _data_bytes(info: tarfile.TarInfo) -> int:
    """Bytes that follow a header; links and folders may state a size and have none."""
    return 0 if info.type in _WITHOUT_DATA else max(info.size, 0)


def _last_bytes(file: BinaryIO, size: int) -> bytes:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - size, 0))
    return file.read(size)
