"""The README's walk with curl."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.walks import WITH_CURL, lines, walk
from trainyard.settings import REPOSITORY


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the walk needs curl")
def test_every_line_of_the_walk_runs(walked: Stack, tmp_path: Path):
    script = lines((REPOSITORY / "README.md").read_text().partition(WITH_CURL)[2])
    assert script.count("curl") > 20
    done = walk(script, walked, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for name in ("best.ckpt", "epoch2.ckpt", "last.ckpt", "model.onnx", "overlay.png", "sample.png"):
        assert (tmp_path / name).stat().st_size > 5_000, name
    assert "Did you mean" in done.stdout
    assert '"detail"' not in done.stdout
