"""`trainyard train`, as a process and its mistakes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from trainyard.settings import REPOSITORY
from trainyard_client.command.runs.comparison import compare
from trainyard_local.command import train

TINY = ("--set", "model.encoder=tu-test_resnet", "--set", "data.image_size=32", "--set", "data.batch_size=4")
WITHOUT_EXPORT = ("--set", "export.onnx=false")


def command(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "trainyard_client", *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def here(*words: str) -> Result:
    """`trainyard train` in this process, which has the engine imported."""
    done = CliRunner().invoke(train, [*words, "--threads", "1", "--device", "cpu"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.parametrize("data", ["made", pytest.param("nuclei", marks=pytest.mark.long)])
def test_the_first_ten_minutes(
    data: str, shapes: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
):
    """Train, go on, fork with another learning rate, compare: a made set, and a real one."""
    source = shapes if data == "made" else request.getfixturevalue("shared_data") / data
    monkeypatch.chdir(tmp_path)
    assert "runs/exp1/report.html" in here(str(source), "--epochs", "1", *TINY, *WITHOUT_EXPORT).stdout
    assert json.loads(here("--resume", "exp1", "--epochs", "2", "--json").stdout)["epochs"] == 2
    other = ("--set", "optimization.learning_rate=0.0001", "--set", "export.onnx=true")
    assert "runs/exp2/export/model.onnx" in here("--fork", "exp1", "--epochs", "1", *other).stdout
    compared = CliRunner().invoke(compare, ["runs/exp1", "runs/exp2", "--json"])
    settings = [one["settings"] for one in json.loads(compared.stdout)]
    assert [one["optimization.learning_rate"] for one in settings] == [0.001, 0.0001]


def test_a_sweep_trains_each_variant_and_compares(shapes: Path, tmp_path: Path):
    sweep = tmp_path / "sweep.yaml"
    sweep.write_text("grid: {optimization.learning_rate: [0.001, 7]}\n")
    tiny = (*TINY, *WITHOUT_EXPORT, "--threads", "2", "--device", "cpu", "--at-once", "2")
    done = command("train", str(shapes), "--epochs", "1", *tiny, "--sweep", str(sweep), folder=tmp_path)
    assert done.returncode == 7
    assert "failed (optimization.learning_rate=7): The training spec is not valid." in done.stderr
    assert "exp1" in done.stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "Give a data set"),
        (["--resume", "exp1", "--fork", "exp1"], 2, "neither"),
        (["--resume", "exp1", "--set", "data.batch_size=2"], 2, "as it is"),
        (["--resume", "exp1", "--patience", "2"], 2, "as it is"),
        (["set", "--set", "nonsense"], 2, "NAME=VALUE"),
        (["set", "--classes", "[1]"], 2, "JSON object"),
    ],
)
def test_what_does_not_go_together_is_usage(words: list[str], status: int, said: str):
    done = CliRunner().invoke(train, words)
    assert done.exit_code == status
    assert said in done.output


def test_the_errors_of_the_engine_have_the_commands_statuses(tmp_path: Path):
    for words, status in (
        (("train", "nowhere"), 3),
        (("train", "--resume", "exp5"), 5),
        (("run", "compare", str(tmp_path)), 5),
    ):
        assert command(*words, folder=tmp_path).returncode == status
