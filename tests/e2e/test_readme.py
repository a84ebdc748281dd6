"""The README's walks, by the command and with curl, their very lines, against the real stack."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack
from tests.waits import scaled
from trainyard.settings import REPOSITORY

PORT = re.compile(r"127\.0\.0\.1:8000")


def _command_of_this_checkout(folder: Path) -> Path:
    """`trainyard` as `make` installs it, where the tests' own environment has it not."""
    folder.mkdir()
    file = folder / "trainyard"
    file.write_text(f'#!/bin/sh\nexec {sys.executable} -m trainyard_client "$@"\n')
    file.chmod(0o755)
    return folder


@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the walk needs curl")
def test_every_line_of_the_walk_runs(stack: Stack, tmp_path):
    text = (REPOSITORY / "README.md").read_text()
    walk = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    assert walk.count("curl") > 20
    assert walk.count("\ntrainyard ") > 10
    script = PORT.sub(f"127.0.0.1:{stack.http.base_url.port}", walk)
    (tmp_path / ".venv").symlink_to(REPOSITORY / ".venv")
    environment = {
        **os.environ,
        "PATH": f"{_command_of_this_checkout(tmp_path / 'bin')}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(tmp_path),
        "TRAINYARD_URL": str(stack.http.base_url),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=scaled(880), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for name in ("results/checkpoints/best.ckpt", "results/export/model.onnx"):
        assert (tmp_path / name).stat().st_size > 500, name
    for name in ("best.ckpt", "epoch2.ckpt", "last.ckpt", "model.onnx", "overlay.png", "sample.png"):
        assert (tmp_path / name).stat().st_size > 5_000, name
    assert "Did you mean" in done.stdout
    assert len(list((tmp_path / "pictures").iterdir())) == 2
    for status in ("exit status 8: stopped", "exit status 3: refused"):
        assert status in done.stdout
    assert '"detail"' not in done.stdout
