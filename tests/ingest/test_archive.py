"""Archives that nobody should trust, and names as operating systems write them."""

import gzip
import io
import random
import stat
import struct
import unicodedata
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from tests.ingest.made import Bench, codes, encoded, folders, mask, photo
from workers.ingest.archive import ArchiveLimits
from workers.ingest.pipeline import DEFAULT_LIMITS

SOUND = folders([mask(0, 1), mask(1, 0)])


@pytest.mark.parametrize(
    "name",
    ["../evil.png", "images/../../evil.png", "/abs/evil.png", "C:\\evil.png", "..\\evil.png", "\\evil.png"],
)
def test_names_that_point_outside_are_refused(bench: Bench, name: str) -> None:
    result = bench.run({**SOUND, name: b"x"})
    assert codes(result) == ["archive_traversal"]
    assert result.problems[0].file == name.replace("\\", "/")


def test_links_are_left_out(bench: Bench) -> None:
    path = bench.zip(SOUND)
    link = zipfile.ZipInfo("images/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    result = bench.run(path)
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("warning", "archive_link", "images/link.png")
    ]
    assert set(bench.arrays()) == {"0", "1"}


def test_encrypted_members_are_refused(bench: Bench) -> None:
    path = bench.zip(SOUND)
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")  # the first entry of the central directory; its flags are 8 bytes in
    struct.pack_into("<H", data, at + 8, struct.unpack_from("<H", data, at + 8)[0] | 1)
    path.write_bytes(data)
    assert codes(bench.run(path)) == ["archive_encrypted"]


def test_methods_whose_unpacking_is_unbounded_are_refused(bench: Bench) -> None:
    path = bench.zip(SOUND)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("images/2.png", b"0" * 1000)
    assert codes(bench.run(path)) == ["archive_compression"]


@pytest.mark.parametrize(
    ("limits", "file"),
    [
        (replace(DEFAULT_LIMITS, files=3), None),
        (replace(DEFAULT_LIMITS, total_bytes=5000), None),
        (replace(DEFAULT_LIMITS, directory_bytes=100), None),
        (replace(DEFAULT_LIMITS, file_bytes=5000), "images/zeros.png"),
        (replace(DEFAULT_LIMITS, ratio=50, ratio_floor=5000), "images/zeros.png"),
        (replace(DEFAULT_LIMITS, ratio=2, ratio_floor=5000), None),
    ],
)
def test_bombs_are_refused_by_count_total_size_and_ratio(
    bench: Bench, limits: ArchiveLimits, file: str | None
) -> None:
    files = {**SOUND, "images/zeros.png": bytes(10_000)}
    result = bench.run(files, limits)
    assert [(p.code, p.file) for p in result.problems] == [("archive_bomb", file)]


def test_a_member_that_is_larger_than_it_says_is_damaged(bench: Bench) -> None:
    path = bench.zip({**SOUND, "images/0.png": bytes(100_000)})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(b"images/0.png"))
    struct.pack_into("<L", data, at + 24, 100)
    path.write_bytes(data)
    result = bench.run(path)
    assert [(p.code, p.file) for p in result.problems] == [("file_damaged", "images/0.png")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "archive_damaged"),
        (b"hello", "archive_damaged"),
        (b"PK\x05\x06" + bytes(18), "archive_empty"),
        (b"\x1f\x8b\x08" + bytes(50), "archive_damaged"),
        (bytes(257) + b"ustar\x0000" + bytes(300), "archive_damaged"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "archive_kind"),
        (b"Rar!" + bytes(50), "archive_kind"),
        (gzip.compress(b"no tar", mtime=0), "archive_not_tar"),
    ],
)
def test_other_files_are_told_from_archives(bench: Bench, data: bytes, code: str) -> None:
    path = bench.root / "upload.zip"
    path.write_bytes(data)
    assert codes(bench.run(path)) == [code]


@pytest.mark.parametrize("within", [(), ("more.zip",), ("a.zip", "b.zip")])
def test_a_zip_that_is_cut_off_anywhere_is_a_problem(bench: Bench, within: tuple[str, ...]) -> None:
    """Also where what is left ends in, or near, the directory of a zip that lay in it as it was."""
    inner = bench.zip(SOUND).read_bytes()
    path = bench.root / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in SOUND.items():
            archive.writestr(name, data)
        for name in within:
            archive.writestr(name, inner)
    data = path.read_bytes()
    ends = [place + 22 for place in range(len(data)) if data.startswith(b"PK\x05\x06", place)]
    cuts = {
        *range(1, len(data), len(data) // 70),
        len(data) - 1,
        *ends[:-1],
        *(end + 40 for end in ends[:-1]),
    }
    for cut in sorted(cuts):
        path.write_bytes(data[:cut])
        assert codes(bench.run(path)) == ["archive_damaged"], cut


def test_a_program_in_front_of_a_zip_is_passed_over(bench: Bench) -> None:
    path = bench.zip(SOUND)
    path.write_bytes(b"MZ" + bytes(1000) + path.read_bytes())
    assert bench.run(path).problems == ()


@pytest.mark.parametrize(("name", "severity"), [("images/9.png", "error"), ("docs/paper.pdf", "warning")])
@pytest.mark.parametrize("kind", ["archive_encrypted", "archive_compression"])
def test_what_cannot_be_unpacked_counts_if_it_may_belong_to_the_set(
    bench: Bench, name: str, severity: str, kind: str
) -> None:
    path = bench.zip(SOUND)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr(name, b"0" * 1000, zipfile.ZIP_LZMA if kind == "archive_compression" else None)
    if kind == "archive_encrypted":
        data = bytearray(path.read_bytes())
        at = data.rfind(b"PK\x01\x02")
        data[at + 8] |= 1
        path.write_bytes(data)
    result = bench.run(path)
    assert [(p.severity, p.code, p.file) for p in result.problems] == [(severity, kind, name)]


def test_problems_of_one_kind_are_one_with_a_count(bench: Bench) -> None:
    path = bench.zip(SOUND)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as archive:
        for index in range(5, 305):
            archive.writestr(f"images/{index}.png", b"0" * 1000)
    (problem,) = bench.run(path).problems
    assert (problem.code, problem.file) == ("archive_compression", "images/5.png")
    assert problem.count == 300


@pytest.mark.parametrize("attributes", [(stat.S_IFDIR | 0o755) << 16, 0x10])
def test_folders_without_a_slash_are_folders(bench: Bench, attributes: int) -> None:
    path = bench.root / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("images", "masks"):
            folder = zipfile.ZipInfo(name)
            folder.external_attr = attributes
            archive.writestr(folder, b"")
        for name, data in SOUND.items():
            archive.writestr(name, data)
    assert bench.run(path).problems == ()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_of_one_name_the_later_counts(bench: Bench) -> None:
    """As zip and tar write a file that was changed, and as all that unpack them have it."""
    old = {"images/0.png": encoded(photo(99)), "masks/0.png": encoded(mask(1, 1))}
    result = bench.run([*old.items(), *SOUND.items()])
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("warning", "names_repeated", "images/0.png")
    ]
    assert result.problems[0].count == 2
    assert np.array_equal(bench.arrays()["0"][0], photo(0))


@pytest.mark.parametrize(
    "stem", ["0 ", " 0", "a\tb", "\x01\x7f", "\u202ex", "\u200b", "x" * 2000, "...b", "con", "a*?b", "-"]
)
def test_odd_names_are_read(bench: Bench, stem: str) -> None:
    files = {f"images/{stem}.png": encoded(photo(5)), f"masks/{stem}.png": encoded(mask(0, 1))}
    result = bench.run({**SOUND, **files})
    assert codes(result) == []
    assert len(bench.arrays()) == (2 if stem.startswith(".") else 3)


def test_streamed_and_large_zips_are_read(bench: Bench) -> None:
    """With sizes behind the files, as what is written to a pipe has them, and in the form of zip64."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in SOUND.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    path = bench.root / "upload.zip"
    path.write_bytes(pipe.getvalue())
    assert bench.run(path).problems == ()


def test_empty_files_are_named(bench: Bench) -> None:
    result = bench.run({**SOUND, "images/9.png": b"", "masks/9.png": b""})
    assert [(p.code, p.file) for p in result.problems] == [("image_unknown", "images/9.png")]


def test_what_operating_systems_add_is_ignored(bench: Bench) -> None:
    junk = ["__MACOSX/images/._0.png", "images/._0.png", ".DS_Store", "images/Thumbs.db", ".git/images/9.png"]
    result = bench.run({**SOUND, **dict.fromkeys(junk, b"junk")})
    assert result.problems == ()
    assert result.summary is not None
    assert result.summary.images == 2


def test_backslashes_are_folders(bench: Bench) -> None:
    result = bench.run({f"set\\{name.replace('/', chr(92))}": data for name, data in SOUND.items()})
    assert codes(result) == []
    assert set(bench.arrays()) == {"0", "1"}


def test_composed_and_decomposed_names_match(bench: Bench) -> None:
    composed = unicodedata.normalize("NFC", "été")
    decomposed = unicodedata.normalize("NFD", "été")
    assert composed != decomposed
    files = {f"images/{decomposed}.png": encoded(photo()), f"masks/{composed}.png": encoded(mask(0, 1))}
    bench.run({**SOUND, **files})
    assert set(bench.arrays()) == {"0", "1", composed}


@pytest.mark.parametrize("encoding", ["utf-8", "cp437"])
def test_names_without_the_unicode_flag_are_read(bench: Bench, encoding: str) -> None:
    files = {f"images/{'x' * len('é'.encode(encoding))}.png": encoded(photo())}
    files |= {name.replace("images", "masks"): encoded(mask(0, 1)) for name in files}
    path = bench.zip({**SOUND, **files})
    placeholder, name = b"x" * len("é".encode(encoding)) + b".png", "é.png".encode(encoding)
    path.write_bytes(path.read_bytes().replace(placeholder, name))
    bench.run(path)
    assert set(bench.arrays()) == {"0", "1", "é"}


def test_unprintable_names_are_shown_safely(bench: Bench) -> None:
    result = bench.run({**SOUND, "../\x1b[31m\n.png": b""})
    assert result.problems[0].file == "../\ufffd[31m\ufffd.png"


def test_damaged_archives_give_a_report(bench: Bench) -> None:
    """Bytes changed at random, mostly in the directory: `Bench.run` checks that nothing is raised or left."""
    chance = random.Random(7)
    path = bench.zip(SOUND)
    whole = path.read_bytes()
    failed = 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 3, 10))):
            data[-1 - int(chance.expovariate(1 / 150)) % len(data)] = chance.randrange(256)
        path.write_bytes(data)
        failed += bench.run(path).summary is None
    assert failed > 50
