"""`python -m tests.client.run_notebook`: runs docs/client.ipynb against a stack, and keeps what it says.

What runs notebooks is installed into an environment of its own, with the client alone: no server package is
there.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from deploy.synthetic import write_synthetic
from tests.e2e.conftest import start_stack, stop_stack
from trainyard.settings import REPOSITORY

NOTEBOOK = REPOSITORY / "docs" / "client.ipynb"
IMAGES = 60
CELL_S = 900
_TOOLS = ("nbclient", "ipykernel")


def main() -> None:
    """Run every cell; the notebook is written anew where all of them ran."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = _environment(folder / "environment")
        work = folder / "work"
        work.mkdir()
        write_synthetic(work / "shapes.zip", images=IMAGES)
        stack = start_stack(folder / "storage")
        try:
            _run(python, work, str(stack.http.base_url))
        finally:
            stop_stack(stack)
        _keep(json.loads((work / NOTEBOOK.name).read_text()), folder)


def _environment(folder: Path) -> Path:
    """An environment with the client and what runs notebooks; its interpreter."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*install, *_TOOLS, str(REPOSITORY / "trainyard_client")], check=True)
    return python


def _run(python: Path, work: Path, url: str) -> None:
    target = work / NOTEBOOK.name
    target.write_text(NOTEBOOK.read_text())
    command = [str(python), "-m", "jupyter_core", "execute", "--inplace", f"--timeout={CELL_S}", str(target)]
    environment = {**os.environ, "TRAINYARD_URL": url, "IPYTHONDIR": str(work / ".ipython")}
    environment.pop("PYTHONPATH", None)
    environment["PATH"] = f"{python.parent}:{environment['PATH']}"
    subprocess.run(command, cwd=work, env=environment, check=True)


def _keep(notebook: dict[str, Any], folder: Path) -> None:
    """Without times and versions of the machine; raises ValueError for what tells where it ran."""
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    notebook["metadata"]["language_info"] = {"name": "python"}
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    for private in (str(folder), str(REPOSITORY), str(Path.home())):
        if len(private) > 1 and private in text:
            raise ValueError(f"{private} would be told in the notebook")
    NOTEBOOK.write_text(text)


if __name__ == "__main__":
    main()
