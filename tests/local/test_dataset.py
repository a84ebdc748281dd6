"""The data set of local experiments: read once, and what is open or wrong about it told."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from trainyard.errors import BadDataset, DatasetQuestion, InvalidRequest
from trainyard_local.dataset import read_dataset, stored_dataset


@pytest.fixture
def folder(shapes: Path, tmp_path: Path) -> Path:
    with zipfile.ZipFile(shapes) as archive:
        archive.extractall(tmp_path / "shapes")
    return tmp_path / "shapes"


def test_it_is_read_again_only_when_a_file_changes(folder: Path, tmp_path: Path):
    reads: list[int] = []

    def read() -> str:
        return read_dataset(folder, tmp_path / "runs", progress=lambda done, total: reads.append(done)).id

    first = read()
    reads.clear()
    assert (read(), reads) == (first, [])
    changed = next((folder / "images").iterdir())
    os.utime(changed, ns=(1, 1))
    assert read() != first
    assert reads


def test_options_make_another_set_of_the_same_files(folder: Path, tmp_path: Path):
    plain = read_dataset(folder, tmp_path / "runs")
    small = read_dataset(folder, tmp_path / "runs", options={"max_side": 48})
    assert plain.id != small.id
    assert set(small.summary.sizes) == {"48x48"}


def test_what_the_files_leave_open_is_asked_with_its_choices(folder: Path, tmp_path: Path):
    for mask in sorted((folder / "masks").iterdir())[:7]:
        mask.unlink()
    options: dict[str, object] = {}
    for _ in range(4):  # one question may stand behind another
        with pytest.raises(DatasetQuestion) as caught:
            read_dataset(folder, tmp_path / "runs", options=options)
        (question,) = caught.value.errors["questions"]
        assert len(question["choices"]) >= 2
        options |= question["choices"][0]["options"]
        try:
            found = read_dataset(folder, tmp_path / "runs", options=options)
        except DatasetQuestion:
            continue
        break
    assert found.summary.images in (3, 10)


def test_what_is_wrong_is_told(tmp_path: Path):
    (tmp_path / "set").mkdir()
    with pytest.raises(BadDataset) as caught:
        read_dataset(tmp_path / "set", tmp_path / "runs")
    assert caught.value.errors["problems"]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"on_question": "asume"}, "on_question"),
        ({"classs": {}}, "classs"),
        ({"val_fraction": "x"}, "val_fraction"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], name: str, shapes: Path, tmp_path: Path):
    with pytest.raises(InvalidRequest) as caught:
        read_dataset(shapes, tmp_path, options=options)
    assert list(caught.value.errors["data"]) == [name]


def test_experiments_do_not_lie_in_their_data(folder: Path):
    with pytest.raises(InvalidRequest, match="inside the data set"):
        read_dataset(folder, folder / "runs")


def test_a_prepared_set_that_is_gone_is_told(shapes: Path, tmp_path: Path):
    found = read_dataset(shapes, tmp_path)
    shutil.rmtree(found.prepared)
    with pytest.raises(BadDataset, match="not in"):
        stored_dataset(found.id, tmp_path)
