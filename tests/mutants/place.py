"""Where mutants live: copies of the repository, and mutmut, which is installed there and nowhere else."""

import shutil
import subprocess
import sys
from pathlib import Path

from trainyard.settings import REPOSITORY

FOLDER = REPOSITORY / "var" / "mutants"
MUTMUT = "mutmut==3.8.1"
"""The version whose forms python_names.py and python_trial.py know."""


def mutmut() -> Path:
    """The folder with mutmut and what it needs, in Trainyard's versions where both need it."""
    folder = FOLDER / "tool"
    if not (folder / "mutmut").is_dir():
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder)]
        install += ["--constraints", str(REPOSITORY / "requirements.txt"), MUTMUT]
        subprocess.run(install, check=True)
    return folder


def copy(name: str) -> Path:
    """A copy of the repository as git knows it, made anew."""
    tree = FOLDER / name
    shutil.rmtree(tree, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for file in filter(None, listed.split("\0")):
        if (REPOSITORY / file).is_file():
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / file, tree / file)
    return tree
