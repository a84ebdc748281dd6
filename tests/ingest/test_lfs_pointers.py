"""Pointers of Git LFS and git-annex are called what they are."""

import json
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.ingest.made import Bench, codes, folders, mask
from tests.ingest.test_sources import entry, laid_out, sent, tarred

SOUND = folders([mask(0, 1), mask(1, 0), mask(0, 1)])
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 12345\n"
KEY = "SHA256E-s1234--" + "0a1b" * 16 + ".png"
ANNEX = f"/annex/objects/{KEY}\n".encode()
LINK = f"../.git/annex/objects/Zx/9Q/{KEY}/{KEY}"
POINTERS = {
    "lfs": LFS,
    "lfs crlf": LFS.replace(b"\n", b"\r\n"),
    "lfs of old": LFS.replace(b"git-lfs.github", b"hawser.github"),
    "annex": ANNEX,
    "annex link as text": LINK.encode(),
}


@pytest.mark.parametrize("kind", POINTERS)
@pytest.mark.parametrize("which", ["images/", "masks/", ""])
def test_pictures_that_are_pointers(bench: Bench, kind: str, which: str) -> None:
    files = {name: POINTERS[kind] if name.startswith(which) else data for name, data in SOUND.items()}
    count = sum(name.startswith(which) for name in SOUND)
    (problem,) = bench.run(files).problems
    assert (problem.severity, problem.code) == ("error", "lfs_pointer")
    assert problem.count == count
    assert ("git annex get" if "annex" in kind else "git lfs pull") in problem.remedy


@pytest.mark.parametrize(
    "name",
    [
        "annotations.json",
        "instances_train.JSON",
        "a/labels.csv",
        "x.xml",
        "train.txt",
        "data.yaml",
        "masks.zip",
    ],
)
def test_annotations_that_are_pointers(bench: Bench, name: str) -> None:
    (problem,) = bench.run({**SOUND, name: LFS}).problems
    assert (problem.severity, problem.code, problem.file) == ("error", "lfs_pointer", name)


@pytest.mark.parametrize("name", ["weights/model.onnx", "README.pdf", "demo.mp4"])
def test_other_files_that_are_pointers_are_left_out(bench: Bench, name: str) -> None:
    (problem,) = bench.run({**SOUND, name: LFS}).problems
    assert (problem.severity, problem.code, problem.file) == ("warning", "lfs_pointer", name)


def test_links_of_git_annex_in_a_tar_a_zip_and_a_folder(bench: Bench, tmp_path: Path) -> None:
    masks = {name: data for name, data in SOUND.items() if name.startswith("masks")}
    tar = tarred(masks, *(entry(f"images/{index}.png", tarfile.SYMTYPE, LINK) for index in range(3)))
    zipped = tmp_path / "links.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, data in masks.items():
            archive.writestr(name, data)
        for index in range(3):
            info = zipfile.ZipInfo(f"images/{index}.png")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, LINK)
    folder = laid_out(tmp_path / "set", masks)
    (folder / "images").mkdir()
    for index in range(3):
        os.symlink(LINK, folder / "images" / f"{index}.png")
    for upload in (sent(bench, tar), zipped, folder):
        (problem,) = bench.run(upload).problems
        assert (problem.severity, problem.code, problem.file) == ("error", "lfs_pointer", "images/0.png")


def test_texts_about_pointers_are_none(bench: Bench) -> None:
    notes = (
        b"See version https://git-lfs.github.com/spec/v1 and /annex/objects/ for how the files are kept here."
    )
    result = bench.run(
        {**SOUND, "notes.json": json.dumps({"note": notes.decode()}).encode(), "notes.txt": notes}
    )
    assert result.problems == ()


@pytest.mark.parametrize("kind", POINTERS)
def test_an_annotation_or_an_upload_that_is_a_pointer(bench: Bench, kind: str) -> None:
    annotation = bench.root / "annotation"
    annotation.write_bytes(POINTERS[kind])
    assert codes(bench.run(SOUND, annotation=(annotation, "a.json"))) == ["lfs_pointer"]
    assert codes(bench.run(sent(bench, POINTERS[kind]))) == ["lfs_pointer"]


def test_a_few_pointers_among_many_small_files(bench: Bench) -> None:
    """Not all small files are read: those of the size of LFS pointers are, wherever they lie."""
    files = {f"notes/{index:04}.json": b"{}" + b" " * (50 + index % 300) for index in range(1000)}
    files["notes/0777.json"] = LFS
    (problem,) = bench.run({**SOUND, **files}).problems
    assert (problem.code, problem.file) == ("lfs_pointer", "notes/0777.json")
