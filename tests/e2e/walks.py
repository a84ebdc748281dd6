"""The walks of the README, their very lines, run against a real stack."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import Stack
from tests.waits import scaled
from trainyard.settings import REPOSITORY

WITH_CURL = "\n## The same with curl\n"
_PORT = re.compile(r"127\.0\.0\.1:8000")


def lines(text: str) -> str:
    """The shell lines of a part of the README."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))


def walk(script: str, stack: Stack, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the lines in the folder, which has the tests' own environment as `.venv`; the first that fails ends
    it. `settings` are more of the environment."""
    (folder / ".venv").symlink_to(REPOSITORY / ".venv")
    environment = {
        **os.environ,
        "PATH": f"{_command_of_this_checkout(folder / 'bin')}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(folder),
        "TRAINYARD_URL": str(stack.http.base_url),
        **settings,
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", _PORT.sub(f"127.0.0.1:{stack.http.base_url.port}", script)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=scaled(580), check=False,
    )  # fmt: skip


def _command_of_this_checkout(folder: Path) -> Path:
    """`trainyard` as `make` installs it, where the tests' own environment has it not."""
    folder.mkdir()
    file = folder / "trainyard"
    file.write_text(f'#!/bin/sh\nexec {sys.executable} -m trainyard_client "$@"\n')
    file.chmod(0o755)
    return folder
