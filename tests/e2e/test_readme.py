"""The README's walk by the command."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.walks import WITH_CURL, lines, walk
from trainyard.settings import REPOSITORY


@pytest.mark.timeout(600)
def test_every_line_of_the_walk_runs(walked: Stack, tmp_path: Path):
    script = lines((REPOSITORY / "README.md").read_text().partition(WITH_CURL)[0])
    assert script.count("\ntrainyard ") > 10
    done = walk(script, walked, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for name in ("results/checkpoints/best.ckpt", "results/export/model.onnx"):
        assert (tmp_path / name).stat().st_size > 500, name
    assert len(list((tmp_path / "pictures").iterdir())) == 2
    for status in ("exit status 8: stopped", "exit status 3: refused"):
        assert status in done.stdout
