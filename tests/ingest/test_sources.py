"""Uploads that are no zip: tars, folders in storage, and an annotation file beside an archive."""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ingest.made import Bench, codes, encoded, folders, mask, photo
from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import ArchiveLimits
from workers.ingest.pipeline import DEFAULT_LIMITS, ingest
from workers.ingest.problems import ProblemLog
from workers.ingest.upload.open import open_source

SOUND = folders([mask(0, 1), mask(1, 0)])
PACK: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def tarred(files: Mapping[str, bytes], *others: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            archive.addfile(entry(name, size=len(data)), io.BytesIO(data))
        for info in others:
            archive.addfile(info)
    return buffer.getvalue()


def sent(bench: Bench, data: bytes) -> Path:
    path = bench.root / "upload.zip"
    path.write_bytes(data)
    return path


def laid_out(root: Path, files: Mapping[str, bytes]) -> Path:
    """The files in a folder of the file system."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


@pytest.mark.parametrize("kind", PACK)
def test_a_tar_gives_what_the_zip_of_the_same_files_gives(bench: Bench, kind: str) -> None:
    zipped = bench.run(SOUND)
    packed = bench.run(sent(bench, PACK[kind](tarred(SOUND))))
    assert packed == zipped
    assert packed.problems == ()


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_streams_one_after_the_other_are_one_tar(bench: Bench, kind: str) -> None:
    whole = tarred(SOUND)
    data = PACK[kind](whole[:3000]) + PACK[kind](whole[3000:])
    assert bench.run(sent(bench, data)).problems == ()


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("kept", [0.3, 0.6])
def test_a_truncated_tar_is_damaged(bench: Bench, kind: str, kept: float) -> None:
    data = PACK[kind](tarred({f"images/{n}.png": encoded(photo(n, 40, 40)) for n in range(9)}))
    assert codes(bench.run(sent(bench, data[: int(len(data) * kept)]))) == ["archive_damaged"]


@pytest.mark.parametrize("kind", PACK)
def test_a_tar_without_the_mark_of_its_end_may_be_cut_off(bench: Bench, kind: str) -> None:
    """Between two files a cut leaves no other trace; who knows that it is whole can say so by the mark."""
    whole = tarred(SOUND)
    bare = whole[: -(-len(whole.rstrip(b"\0")) // 512) * 512]
    [problem] = bench.run(sent(bench, PACK[kind](bare))).problems
    assert (problem.severity, problem.code) == ("error", "archive_damaged")
    assert "truncate -s +1024" in problem.remedy
    assert bench.run(sent(bench, PACK[kind](bare + bytes(1024)))).problems == ()


@pytest.mark.parametrize("name", ["../evil.png", "/abs/evil.png", "C:\\evil.png", "images/../../e.png"])
def test_names_that_point_outside_are_refused(bench: Bench, name: str) -> None:
    assert codes(bench.run(sent(bench, tarred(SOUND, entry(name))))) == ["archive_traversal"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_left_out(bench: Bench, kind: bytes) -> None:
    result = bench.run(sent(bench, tarred(SOUND, entry("images/x.png", kind, "/etc/passwd"))))
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("warning", "archive_link", "images/x.png")
    ]
    assert set(bench.arrays()) == {"0", "1"}


@pytest.mark.parametrize("target", ["images/0.png", "masks/1.png"])
def test_a_hard_link_within_a_tar_is_the_file_that_it_names(bench: Bench, target: str) -> None:
    """GNU tar writes a file of two names once."""
    folder = target.split("/")[0]
    other = "masks" if folder == "images" else "images"
    files = {**SOUND, f"{other}/9.png": SOUND[f"{other}/0.png"]}
    result = bench.run(sent(bench, tarred(files, entry(f"{folder}/9.png", tarfile.LNKTYPE, target))))
    assert result.problems == ()
    assert set(bench.arrays()) == {"0", "1", "9"}


def test_what_operating_systems_add_is_not_looked_at(bench: Bench) -> None:
    files = {**SOUND, "__MACOSX/images/._0.png": b"x", ".DS_Store": b"x"}
    assert bench.run(sent(bench, tarred(files))).problems == ()


@pytest.mark.parametrize(
    ("limits", "file"),
    [
        (replace(DEFAULT_LIMITS, files=3), None),
        (replace(DEFAULT_LIMITS, total_bytes=5000), None),
        (replace(DEFAULT_LIMITS, ratio=2, ratio_floor=5000), None),
        (replace(DEFAULT_LIMITS, file_bytes=5000), "images/zeros.png"),
    ],
)
def test_bombs_are_refused(bench: Bench, limits: ArchiveLimits, file: str | None) -> None:
    data = gzip.compress(tarred({**SOUND, "images/zeros.png": bytes(10_000)}))
    result = bench.run(sent(bench, data), limits)
    assert [(p.code, p.file) for p in result.problems] == [("archive_bomb", file)]


def test_a_header_whose_name_is_huge_is_refused(bench: Bench) -> None:
    long = entry("./././@LongLink", tarfile.GNUTYPE_LONGNAME, size=100_000)
    data = long.tobuf() + bytes(200_000)
    limits = replace(DEFAULT_LIMITS, directory_bytes=50_000)
    assert codes(bench.run(sent(bench, data), limits)) == ["archive_bomb"]


def test_an_xz_that_asks_for_much_memory_is_refused(bench: Bench) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]
    data = lzma.compress(tarred(SOUND), filters=filters)
    assert codes(bench.run(sent(bench, data))) == ["archive_damaged"]


def test_a_folder_gives_what_the_zip_of_the_same_files_gives(bench: Bench, tmp_path: Path) -> None:
    zipped = bench.run(SOUND)
    folder = laid_out(tmp_path / "incoming" / "set", SOUND)
    before = sorted(folder.rglob("*"))
    assert bench.run(folder) == zipped
    assert sorted(folder.rglob("*")) == before


def test_folders_of_splits_are_read_as_the_folder_that_has_them(bench: Bench, tmp_path: Path) -> None:
    tested = {"images/7.png": encoded(photo(7)), "masks/7.png": encoded(mask(1, 1))}
    sets = {"train": SOUND, "test": tested}
    files = {f"{split}/{name}": data for split, own in sets.items() for name, data in own.items()}
    whole = laid_out(tmp_path / "set", {**files, "classes.json": b'{"0": "ground", "1": "thing"}'})
    apart = {split: laid_out(tmp_path / "elsewhere" / f"of {split}", own) for split, own in sets.items()}
    expected = bench.run(whole, splits_from="folders")
    assert expected.summary is not None, expected.problems
    assert expected.summary.splits.keys() == {"train", "val", "test"}
    options = IngestOptions(splits_from="folders")
    parts = {**apart, "classes.json": whole / "classes.json"}
    assert ingest(parts, tmp_path / "other", options, lambda done, total: None) == expected


def test_what_is_no_file_in_a_folder_is_left_out(bench: Bench, tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "set", SOUND)
    secret = tmp_path / "secret.png"
    secret.write_bytes(encoded(photo()))
    (folder / "images" / "link.png").symlink_to(secret)
    (folder / "masks" / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "images" / "pipe.png")
    result = bench.run(folder)
    (problem,) = result.problems
    assert (problem.severity, problem.code, problem.file) == ("warning", "archive_link", "images/link.png")
    assert problem.count == 3
    assert set(bench.arrays()) == {"0", "1"}


def test_an_empty_folder_and_names_that_are_no_text(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    assert codes(bench.run(folder)) == ["archive_empty"]
    laid_out(folder, SOUND)
    for kind in ("images", "masks"):
        data = encoded(photo(9)) if kind == "images" else encoded(mask(0, 1))
        Path(os.fsdecode(os.fsencode(folder / kind) + b"/\xff\x8f.png")).write_bytes(data)
    result = bench.run(folder)
    assert [problem.code for problem in result.problems] == ["names_encoding_guessed"]
    assert len(bench.arrays()) == 3


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "set", SOUND)
    log = ProblemLog()
    with open_source(folder, None, tmp_path, DEFAULT_LIMITS, log) as source:
        (folder / "images" / "0.png").unlink()
        (folder / "images" / "0.png").symlink_to("/etc/hostname")
        with pytest.raises(Exception, match="cannot be opened") as refusal:
            source.read(source.members[0])
    assert getattr(refusal.value, "problem_code", None) == "file_damaged"


@pytest.mark.parametrize("name", ["classes.json", "C:\\Users\\me\\classes.json", "../../classes.json"])
def test_an_annotation_beside_the_archive_is_one_of_its_files(bench: Bench, name: str) -> None:
    about = {"classes": [{"id": 0, "name": "ground"}, {"id": 1, "name": "thing"}]}
    annotation = bench.root / "annotation"
    annotation.write_text(json.dumps(about))
    result = bench.run({**SOUND, "classes.json": b"broken"}, annotation=(annotation, name))
    assert result.summary is not None, result.problems
    assert [info.name for info in result.summary.classes] == ["ground", "thing"]


@pytest.mark.parametrize("kind", PACK)
def test_a_tar_that_is_cut_off_anywhere_is_a_problem(bench: Bench, kind: str) -> None:
    """Plain tars are cut between files and within headers, too, where what is left looks like a tar."""
    data = PACK[kind](tarred(SOUND))
    whole = len(tarred(SOUND).rstrip(b"\0")) if kind == "tar" else len(data)
    cuts = {*range(1, whole, max(whole // 60, 1)), *range(512, whole, 512), whole - 1}
    for cut in sorted(cuts):
        found = codes(bench.run(sent(bench, data[:cut])))
        assert found == ["archive_damaged"], cut


def test_a_tar_with_a_broken_header_is_not_read_up_to_it(bench: Bench) -> None:
    data = bytearray(tarred(SOUND))
    place = data.index(b"images/1.png")
    data[place + 1] ^= 1
    assert codes(bench.run(sent(bench, bytes(data)))) == ["archive_damaged"]


def test_a_sparse_file_is_an_error(bench: Bench) -> None:
    result = bench.run(sent(bench, tarred(SOUND, entry("images/9.png", tarfile.GNUTYPE_SPARSE))))
    assert codes(result) == ["archive_compression"]


def test_links_alone_are_an_error(bench: Bench) -> None:
    files = [entry(f"images/{index}.png", tarfile.SYMTYPE, "/data/x.png") for index in range(3)]
    result = bench.run(sent(bench, tarred({}, *files)))
    assert codes(result)[0] == "archive_link"


def test_an_annotation_that_is_too_large_is_refused(bench: Bench) -> None:
    annotation = bench.root / "annotation"
    annotation.write_bytes(bytes(20_000))
    limits = replace(DEFAULT_LIMITS, file_bytes=10_000)
    assert codes(bench.run(SOUND, limits, annotation=(annotation, "a.json"))) == ["archive_bomb"]
