"""The command behind `make gpu`: what it says of checks that pass, fall short, crash and hang."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.gpu import __main__ as command
from tests.gpu.check import Check
from tests.gpu.table import CHECKS
from trainyard.settings import REPOSITORY


def check(number: int, work: str, limit_s: float = 60) -> Check:
    return Check(
        number=number,
        name=work,
        limit_s=limit_s,
        work=f"tests.unit.gpu_suite_checks:{work}",
        criterion="it is so",
        remedy="make it so",
        cpu="the same",
    )


WORKS = ("sound", "only_measured", "short", "crashes", "says_nothing", "hangs")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(checks: tuple[Check, ...], *more: str) -> tuple[int, dict[str, Any], str]:
        arguments = ["--device", "cpu", "--threads", "1", "--out", str(tmp_path), *more]
        code = command.main(arguments, checks)
        table = (tmp_path / "results.md").read_text()
        return code, json.loads((tmp_path / "results.json").read_text()), capsys.readouterr().out + table

    return run


def test_what_falls_short_is_named_and_the_exit_status_says_so(run):
    checks = tuple(check(number, work, 1 if work == "hangs" else 60) for number, work in enumerate(WORKS))
    code, results, said = run(checks)
    assert code == 1
    assert [one["status"] for one in results["checks"]] == ["passed", "measured", *["failed"] * 4]
    assert results["fell_short"] == [2, 3, 4, 5]
    assert "exit code 3" in results["checks"][3]["trouble"]
    assert results["checks"][5]["trouble"] == "it took longer than 4 s"
    assert [one["status"] for one in results["checks"][0]["findings"]] == ["passed", "measured", "not shown"]
    assert "two at once: needs two GPUs [not shown]" in said
    assert said.count("remedy: make it so") == 4
    assert not [one for one in psutil.Process().children() if "tests.gpu" in " ".join(one.cmdline())]


def test_what_ran_before_is_left_alone(run):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as other:
        try:
            code, _, _ = run((check(0, "only_measured"),))
            assert (code, other.poll()) == (0, None)
        finally:
            other.kill()


def test_a_check_of_the_suite_runs(run):
    code, results, _ = run(CHECKS, "--only", "0")
    assert code == 0
    assert [one["name"] for one in results["checks"]] == ["preflight"]


def test_every_row_has_its_work():
    assert [one.number for one in CHECKS] == list(range(23))
    for one in CHECKS:
        module, _, function = one.work.partition(":")
        tree = ast.parse((REPOSITORY / f"{module.replace('.', '/')}.py").read_text())
        assert function in [part.name for part in tree.body if isinstance(part, ast.FunctionDef)]


def test_a_number_that_no_check_has_is_refused(run):
    with pytest.raises(SystemExit):
        run(CHECKS, "--only", "77")


def test_every_row_is_in_the_documents():
    said = (REPOSITORY / "docs/gpu.md").read_text()
    assert [
        one.name for one in CHECKS if f"| {one.number} | {one.name} | {one.criterion} |\n" not in said
    ] == []
