"""The layout of storage, and writes that are whole or absent."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainyard.errors import DiskFull, InvalidRequest, NewerFormat, NotFound, StorageUnavailable
from trainyard.storage.files import Storage
from trainyard.storage.ids import check_id, new_dataset_id, new_run_id
from trainyard.storage.json_files import read_json, write_json, write_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


def test_generated_ids_pass_and_differ():
    for make in (new_dataset_id, new_run_id):
        ids = {make() for _ in range(100)}
        assert len(ids) == 100
        assert {check_id(one) for one in ids} == ids


@given(st.text() | st.from_regex(r"(run|ds)-[0-9a-f]{11,13}"))
def test_anything_else_is_no_id(text: str):
    if len(text) in (15, 16) and text.split("-")[0] in ("ds", "run") and text[-1] != "\n":
        return
    with pytest.raises(NotFound):
        check_id(text)


@pytest.mark.parametrize(
    "text", ["run-00000000000\n", "run-0000000000000", "run-00000000000A", "xrun-000000000000"]
)
def test_near_ids_are_refused(text: str):
    with pytest.raises(NotFound):
        Storage(Path("x")).run(text)


def test_paths_lie_where_the_layout_says(tmp_path: Path):
    storage = Storage(tmp_path)
    run = storage.run("run-000000000001")
    assert run.epoch_checkpoint(7).relative_to(tmp_path).as_posix() == (
        "runs/run-000000000001/checkpoints/epoch=007.ckpt"
    )
    dataset = storage.dataset("ds-000000000001")
    assert dataset.upload.relative_to(tmp_path).as_posix() == "datasets/ds-000000000001/upload.zip"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")).filter(lambda key: key != "schema"), JSON))
def test_what_is_written_is_read(tmp_path: Path, data: dict[str, Any]):
    path = tmp_path / "deep" / "data.json"
    write_json(path, data)
    assert read_json(path) == data
    assert json.loads(path.read_text(encoding="utf-8"))["schema"] == 1
    assert [one.name for one in path.parent.iterdir()] == ["data.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "data.json"
    write_json(path, {"a": 1})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="No space left"):
        write_json(path, {"a": 2})
    assert read_json(path) == {"a": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["data.json"]


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageUnavailable):
        write_text(tmp_path / "file" / "data.txt", "x")


@pytest.mark.parametrize("content", ["", "{", "\xff", '{"schema": 2}'])
def test_broken_and_newer_files(tmp_path: Path, content: str):
    path = tmp_path / "data.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(StorageUnavailable, match=r"data\.json"):
        read_json(path)
    with pytest.raises(StorageUnavailable):
        read_json(tmp_path / "absent.json")


def test_a_record_of_a_newer_trainyard_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "run.json"
    path.write_text('{"schema": 2}')
    with pytest.raises(
        NewerFormat, match=r"run\.json .* its schema is 2, and this one reads up to 1"
    ) as found:
        read_json(path)
    assert found.value.code == "newer_format"
    assert "Upgrade" in found.value.remedy
    assert path.read_text() == '{"schema": 2}'


def test_weights_files_lie_in_their_folder(tmp_path: Path):
    file = tmp_path / "weights" / "a" / "b.pt"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"w")
    (tmp_path / "secret").write_bytes(b"s")
    os.symlink(tmp_path / "secret", tmp_path / "weights" / "link")
    storage = Storage(tmp_path)
    assert storage.weights.file("a/b.pt") == file.resolve()
    for name in (
        "../secret",
        str(tmp_path / "secret"),
        "link",
        "a",
        "",
        "absent",
        "a\0b",
        "x" * 5000,
        "x/" * 3000,
    ):
        with pytest.raises(InvalidRequest) as found:
            storage.weights.file(name)
        assert "a/b.pt" in found.value.errors["spec"]["model"]["encoder_weights"][0]
