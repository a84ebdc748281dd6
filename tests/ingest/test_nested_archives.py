"""Archives within an upload: read one level deep, within the bounds of the whole."""

import io
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.ingest.made import Bench, codes, encoded, folders, mask, photo
from tests.ingest.test_sources import PACK, laid_out, sent, tarred
from workers.ingest.archive import ArchiveLimits, Entry
from workers.ingest.pipeline import DEFAULT_LIMITS
from workers.ingest.upload import nested
from workers.ingest.upload.folder_source import FolderSource

Files = Mapping[str, bytes]
SOUND = folders([mask(0, 1), mask(1, 0)])


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def part(folder: str, files: Files = SOUND) -> dict[str, bytes]:
    """The files below a folder, without it."""
    return {name[len(folder) :]: data for name, data in files.items() if name.startswith(folder)}


INNER: dict[str, Callable[[Files], bytes]] = {
    "zip": zipped,
    **{kind: lambda files, pack=pack: pack(tarred(files)) for kind, pack in PACK.items()},  # type: ignore[misc]
    "tgz": lambda files: PACK["tar.gz"](tarred(files)),
}
OUTER: dict[str, Callable[[Bench, Files], Path]] = {
    "deflated": lambda bench, files: sent(bench, zipped(files)),
    "stored": lambda bench, files: sent(bench, zipped(files, zipfile.ZIP_STORED)),
    "tar": lambda bench, files: sent(bench, tarred(files)),
    "tar.gz": lambda bench, files: sent(bench, PACK["tar.gz"](tarred(files))),
    "folder": lambda bench, files: laid_out(bench.root / "set", files),
}


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", OUTER)
def test_images_and_masks_in_archives_of_their_own(bench: Bench, outer: str, inner: str) -> None:
    pack = INNER[inner]
    files = {f"data/{kind}.{inner}": pack(part(f"{kind}/")) for kind in ("images", "masks")}
    result = bench.run(OUTER[outer](bench, files))
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("warning", "archive_opened", f"data/images.{inner}")
    ]
    assert "2 archive(s)" in result.problems[0].message
    plain = bench.arrays()
    bench.run(SOUND)
    for name, (image, values) in bench.arrays().items():
        assert np.array_equal(plain[name][0], image)
        assert np.array_equal(plain[name][1], values)


@pytest.mark.parametrize("processes", [1, 3])
def test_a_split_in_each_archive(bench: Bench, processes: int) -> None:
    val = folders([mask(0, 1)] * 2)
    val["images/0.png"], val["images/1.png"] = encoded(photo(8)), encoded(photo(9))
    result = bench.run({"train.zip": zipped(SOUND), "VAL.ZIP": zipped(val)}, processes=processes)
    assert result.summary is not None, result.problems
    assert result.summary.splits["train"] == result.summary.splits["val"] == 2


def test_one_archive_wraps_another(bench: Bench) -> None:
    result = bench.run({"my set v1.2.zip": zipped(SOUND)})
    assert codes(result) == []
    assert set(bench.arrays()) == {"0", "1"}


def test_two_levels_deep_is_left_out(bench: Bench) -> None:
    deep = zipped({"x/deep.zip": zipped(SOUND), **SOUND})
    result = bench.run({"part.zip": deep})
    assert [(p.code, p.file) for p in result.problems] == [
        ("archive_opened", "part.zip"),
        ("archive_nested", "part/x/deep.zip"),
    ]


@pytest.mark.parametrize("name", ["more.7z", "a/b.RAR", "c.tar.zst"])
def test_other_archives_are_left_out(bench: Bench, name: str) -> None:
    result = bench.run({**SOUND, name: b"x"})
    assert [(p.severity, p.code, p.file) for p in result.problems] == [("warning", "archive_nested", name)]


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "rar", "no tar"])
def test_one_that_is_damaged_is_named_and_left_out(bench: Bench, damage: str) -> None:
    data = {
        "cut": zipped(SOUND)[:-30],
        "empty": b"",
        "other": b"hello",
        "rar": b"Rar!" + bytes(50),
        "no tar": PACK["tar.gz"](bytes(2000)),
    }[damage]
    result = bench.run({**SOUND, "backup.zip": data})
    (problem,) = result.problems
    assert (problem.severity, problem.file) == ("warning", "backup.zip")
    assert problem.code in ("archive_damaged", "archive_kind", "archive_not_tar")
    result = bench.run({"all.zip": data, "readme/all.zip": data})
    assert codes(result)[0] == problem.code


def test_masks_in_a_damaged_archive_are_missed(bench: Bench) -> None:
    files = {"images.zip": zipped(part("images/")), "masks.zip": zipped(part("masks/"))[:-30]}
    result = bench.run(files)
    assert codes(result) == ["no_pairs"]
    assert ("archive_damaged", "masks.zip") in [(p.code, p.file) for p in result.problems]


@pytest.mark.parametrize("place", ["set.zip", "images/set.zip", "copy/set.zip"])
def test_one_that_is_unpacked_beside_is_left_out(bench: Bench, place: str) -> None:
    """As people leave the archive there from which they unpacked the set."""
    result = bench.run({**SOUND, place: zipped(SOUND)})
    assert [(p.severity, p.code, p.file) for p in result.problems] == [("warning", "archive_nested", place)]
    assert set(bench.arrays()) == {"0", "1"}


def test_a_file_that_is_there_twice_is_an_error(bench: Bench) -> None:
    others = {"0.png": encoded(photo(7, 9, 9)), "2.png": encoded(photo(8))}
    result = bench.run({**SOUND, "images.zip": zipped(others)})
    assert [(p.code, p.file) for p in result.problems if p.severity == "error"] == [
        ("archive_nested", "images/0.png")
    ]


@pytest.mark.parametrize("name", ["../evil.png", "/abs/evil.png", "C:\\evil.png"])
def test_names_that_point_outside_are_refused(bench: Bench, name: str) -> None:
    result = bench.run({"train.zip": zipped({**SOUND, name: b"x"})})
    assert "archive_traversal" in codes(result)


@pytest.mark.parametrize(
    "limits",
    [
        replace(DEFAULT_LIMITS, files=6),
        replace(DEFAULT_LIMITS, total_bytes=15_000),
        replace(DEFAULT_LIMITS, directory_bytes=260),
        replace(DEFAULT_LIMITS, ratio=10, ratio_floor=15_000),
    ],
)
@pytest.mark.parametrize("inner", ["zip", "tar.gz"])
def test_bounds_hold_for_all_archives_together(bench: Bench, limits: ArchiveLimits, inner: str) -> None:
    """Each archive alone, and each level, is within them."""
    one = INNER[inner]({f"{'long' * 9}{index}.png": bytes(4000) for index in range(3)})
    files = {f"a.{inner}": one, f"b.{inner}": one}
    assert codes(bench.run(OUTER["stored"](bench, files), limits)) == ["archive_bomb"]


def test_a_bomb_that_is_packed_twice_is_refused_before_it_is_unpacked(bench: Bench) -> None:
    inner = zipped({"zeros.png": bytes(30_000_000)})
    limits = replace(DEFAULT_LIMITS, ratio_floor=1_000_000)
    assert codes(bench.run({**SOUND, "inner.zip": inner}, limits)) == ["archive_bomb"]


def test_what_is_unpacked_to_disk_counts(bench: Bench) -> None:
    huge = bytes(3_000_000)
    limits = replace(DEFAULT_LIMITS, total_bytes=5_000_000)
    assert codes(bench.run({**SOUND, "a.zip": huge, "b.zip": huge}, limits)) == ["archive_bomb"]


def test_too_many_are_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested, "MAX_OPENED", 3)
    files = {f"{index}.zip": zipped({f"images/{index}.png": b"x"}) for index in range(4)}
    assert codes(bench.run(files)) == ["archive_nested"]


def test_annotations_in_an_archive_of_their_own(bench: Bench) -> None:
    about = b'{"classes": [{"id": 0, "name": "ground"}, {"id": 1, "name": "thing"}]}'
    result = bench.run({**SOUND, "meta.tar": tarred({"classes.json": about})})
    assert result.summary is not None, result.problems
    assert [info.name for info in result.summary.classes] == ["ground", "thing"]


@pytest.mark.parametrize("name", ["scan.nii.gz", "a/b.npy.gz", "x.csv.gz", "doc.gz"])
def test_single_packed_files_are_no_archives(bench: Bench, name: str) -> None:
    result = bench.run({**SOUND, name: PACK["tar.gz"](b"data")})
    assert [(p.severity, p.code, p.file) for p in result.problems] == [("warning", "files_unread", name)]


def test_links_within_are_left_out(bench: Bench) -> None:
    link = tarfile.TarInfo("images/9.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    result = bench.run({"part.tar": tarred(SOUND, link)})
    assert [(p.code, p.file) for p in result.problems] == [
        ("archive_opened", "part.tar"),
        ("archive_link", "part/images/9.png"),
    ]


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", ["deflated", "stored", "tar"])
def test_damage_anywhere_gives_a_report(bench: Bench, outer: str, inner: str) -> None:
    """Bytes changed or cut at random: `Bench.run` checks that nothing is raised or left."""
    chance = random.Random(5)
    pack = INNER[inner]
    files = {f"{kind}.{inner}": pack(part(f"{kind}/")) for kind in ("images", "masks")}
    for _ in range(25):
        damaged = bytearray(files[f"masks.{inner}"])
        for _ in range(chance.choice((1, 5))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        del damaged[chance.choice((len(damaged), chance.randrange(len(damaged)))) :]
        bench.run(OUTER[outer](bench, {**files, f"masks.{inner}": bytes(damaged)}))


@pytest.mark.parametrize("inner", INNER)
def test_one_that_is_cut_off_anywhere_is_never_read_in_part(bench: Bench, inner: str) -> None:
    whole = INNER[inner]({f"{index}.png": encoded(photo(index)) for index in range(5)})
    end = len(whole.rstrip(b"\0")) if inner == "tar" else len(whole)
    for cut in sorted({*range(1, end, end // 25), end - 1}):
        result = bench.run({**SOUND, f"more/images.{inner}": whole[:cut]})
        assert [(p.severity, p.code) for p in result.problems] == [("warning", "archive_damaged")], cut


def test_one_that_may_not_be_read_is_left_out(bench: Bench, tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "set", {**SOUND, "more.zip": zipped(SOUND)})
    with open_source_failing(folder / "more.zip"):
        result = bench.run(folder)
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("warning", "file_damaged", "more.zip")
    ]


@contextmanager
def open_source_failing(path: Path) -> Iterator[None]:
    """Make the file a link while the folder is read: permissions do not stop a test that runs as root."""
    listed = FolderSource._entries

    def swapped(self: FolderSource, folder: Path, below: str) -> Iterator[Entry]:
        yield from listed(self, folder, below)
        if not below:
            path.unlink()
            path.symlink_to("/etc/hostname")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FolderSource, "_entries", swapped)
        yield
