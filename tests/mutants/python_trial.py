"""Mutants of Python, made and tried by mutmut in a copy of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.mutants import place
from tests.mutants.outcomes import NOTICED, Outcomes, drawn
from tests.mutants.parts import Part

PACKAGES = (
    "app",
    "bench",
    "configs",
    "deploy",
    "docs",
    "trainyard",
    "trainyard_client",
    "trainyard_local",
    "workers",
)
PLAIN = ("-m", "not long and not thorough", "-p", "no:cacheprovider", "-p", "tests.mutants.same_process")


def run(name: str, part: Part, sample: int, seed: int, children: int) -> Outcomes:
    """Try so many of a part's mutants, drawn by the seed; what mutmut says on the way is in `<name>.log`."""
    tree = place.copy(name)
    _settings(tree, part)
    files = sorted(str(path.relative_to(tree)) for pattern in part.files for path in tree.glob(pattern))
    made: list[str] = _asked(tree, "names", files)
    tried = drawn(made, sample, seed)
    with (place.FOLDER / f"{name}.log").open("wb") as log:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children), *tried]
        if subprocess.run(
            command, cwd=tree, env=_environment(tree), stdout=log, stderr=log, check=False
        ).returncode:
            raise SystemExit(f"{name}: mutmut gave up, {log.name} says why")
    outcomes = _outcomes(tree)
    by_name = {mutant: outcomes[mutant] for mutant in tried}
    unnoticed = [mutant for mutant, outcome in by_name.items() if outcome not in NOTICED]
    return Outcomes(len(made), by_name, _asked(tree, "differences", unnoticed))


def _settings(tree: Path, part: Part) -> None:
    """What mutmut is to do in the copy."""
    deselected = [f"--deselect=tests/{test}" for test in part.left_out]
    settings = {
        "source_paths": PACKAGES,
        "only_mutate": part.files,
        "also_copy": ("README.md", "Makefile", "Procfile"),
        "pytest_add_cli_args": (*PLAIN, *deselected),
        "pytest_add_cli_args_test_selection": [f"tests/{test}" for test in part.tests],
        "use_git_change_detection": False,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    with (tree / "pyproject.toml").open("a") as file:
        file.write("\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def _environment(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{tree}:{place.mutmut()}", "OMP_NUM_THREADS": "1"}


def _asked(tree: Path, what: str, words: list[str]) -> Any:
    command = [sys.executable, "-m", "tests.mutants.python_names", what, *words]
    told = subprocess.run(
        command, cwd=tree, env=_environment(tree), stdout=subprocess.PIPE, check=True
    ).stdout
    return json.loads(told)


def _outcomes(tree: Path) -> dict[str, str]:
    """The outcome of each mutant by its name, as mutmut lists them: `    name: outcome`."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    listed = subprocess.run(
        command, cwd=tree, env=_environment(tree), capture_output=True, text=True, check=True
    )
    lines = [line.strip().partition(": ") for line in listed.stdout.splitlines() if ": " in line]
    return {name: outcome for name, _, outcome in lines}
