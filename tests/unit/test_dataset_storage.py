"""Where data sets lie in storage: versions, what was put there by hand, and their end."""

from pathlib import Path

import pytest

from trainyard.errors import InvalidRequest, NotFound
from trainyard.storage.files import Storage, remove_folder

DATASET = "ds-0123456789ab"


def test_a_version_is_named_by_its_content(tmp_path: Path):
    folder = Storage(tmp_path).dataset(DATASET)
    assert folder.version("0123456789abcdef" * 4) == folder.prepared / "0123456789abcdef"


@pytest.mark.parametrize("name", ["", "..", "abc", "../" * 20 + "a" * 4, "g" * 64, "A" * 64, "a" * 64 + "\n"])
def test_nothing_else_is_a_version(tmp_path: Path, name: str):
    with pytest.raises(NotFound):
        Storage(tmp_path).dataset(DATASET).version(name)


def test_an_incoming_file_is_found_at_any_depth(tmp_path: Path):
    (tmp_path / "incoming" / "a" / "b").mkdir(parents=True)
    assert Storage(tmp_path).data.path("a/b") == tmp_path / "incoming" / "a" / "b"


def test_without_the_folder_nothing_is_there(tmp_path: Path):
    with pytest.raises(InvalidRequest) as found:
        Storage(tmp_path).data.path("a")
    assert found.value.errors == {"path": ["there: nothing"]}


def test_what_lies_outside_has_no_name_there(tmp_path: Path):
    root, inside = tmp_path / "incoming", tmp_path / "incoming" / "a"
    inside.mkdir(parents=True)
    (root / "link").symlink_to(inside)
    (root / "out").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    data = Storage(tmp_path).data
    for name in ("a", "link", "./a", "a/../a", str(inside), str(root / "link")):
        assert data.name_of(Path(name)) == "a", name
    for name in ("..", "out", "out/runs", "loop", "b", "a/../..", "/", str(tmp_path), "x" * 300, "a\0b"):
        assert data.name_of(Path(name)) is None, name


def test_an_error_lists_a_few_names(tmp_path: Path):
    for number in range(100):
        (tmp_path / "incoming" / f"{number:03d}").mkdir(parents=True)
    with pytest.raises(InvalidRequest) as found:
        Storage(tmp_path).data.path("x")
    [listed] = found.value.errors["path"]
    assert listed.startswith("there: 000, 001")
    assert listed.endswith("019, ...")


def test_a_folder_is_removed_whole_and_once(tmp_path: Path):
    (tmp_path / "set" / "prepared").mkdir(parents=True)
    (tmp_path / "set" / "upload.zip").write_bytes(b"x")
    (tmp_path / "kept").mkdir()
    remove_folder(tmp_path / "set")
    remove_folder(tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
