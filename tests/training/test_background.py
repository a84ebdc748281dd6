"""Checkpoints written beside training."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import Run
from trainyard.errors import StorageUnavailable
from workers.training.checkpoints import checkpoint_writer as background
from workers.training.checkpoints.checkpoint_writer import BackgroundWriter


@pytest.fixture
def writer() -> Any:
    writer = BackgroundWriter()
    yield writer
    writer.close()


def test_what_is_written_is_what_was_there_when_it_was_asked_for(
    writer: BackgroundWriter, tmp_path: Path
) -> None:
    weight = torch.arange(6.0).view(2, 3).t()
    content = {"weight": weight, "nested": [{"step": torch.tensor(3)}], "name": "a"}
    writer.save_checkpoint(content, tmp_path / "a.ckpt", {"epoch": 1})
    weight.zero_()
    written = writer.outcome()
    assert written
    assert written.bytes == (tmp_path / "a.ckpt").stat().st_size
    found = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert torch.equal(found["weight"], torch.arange(6.0).view(2, 3).t())
    assert (found["nested"][0]["step"], found["name"]) == (torch.tensor(3), "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ckpt", "a.ckpt.json"]
    assert writer.outcome() is None


def test_storage_that_fails_ends_the_run_and_leaves_no_part_of_a_file(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(background.os, "fsync", full)
    with pytest.raises(StorageUnavailable, match="No space left"):
        run.fit(epochs=3)
    assert list((run.folder / ".saved").iterdir()) == []
