"""`trainyard train`, as a process and its mistakes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.e2e import walks
from tests.e2e.conftest import Stack, start_stack, stop_stack
from tests.e2e.small_configs import small_configs
from trainyard.settings import REPOSITORY
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


HANDED_OVER = """
trainyard run import runs/exp1 --with-data -q
RUN=$(trainyard run import runs/exp2 -q)
trainyard model register $RUN first
trainyard model predict first picture.png --to predicted
trainyard run show $RUN --json | tr -d '\\n' && echo
trainyard run show $(trainyard run import runs/exp2 -q) --json | tr -d '\\n' && echo
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Stack]:
    """A service that trains nothing."""
    running = start_stack(tmp_path / "storage", "redis", "web", "ingest")
    yield running
    stop_stack(running)


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.parametrize("data", ["made", pytest.param("nuclei", marks=pytest.mark.long)])
def test_the_first_ten_minutes(
    data: str, shapes: Path, service: Stack, tmp_path: Path, request: pytest.FixtureRequest
):
    """The lines of docs/local.md, with a made set and a small network, and with a real one: train, go on,
    fork, compare, hand over to a service, predict. What was handed over is registered, and asked there."""
    source = tmp_path / "data" / "nuclei"
    if data == "made":
        shutil.unpack_archive(shapes, source)
        settings = {"TRAINYARD_CONFIGS": str(small_configs(tmp_path / "configs"))}
    else:
        shutil.copytree(request.getfixturevalue("shared_data") / data, source)
        settings = {}
    picture = next(path for path in sorted(source.rglob("*.png")) if "image" in path.parent.name)
    shutil.copyfile(picture, tmp_path / "picture.png")
    lines = walks.lines((REPOSITORY / "docs" / "local.md").read_text())
    done = walks.walk(lines + HANDED_OVER, service, tmp_path, **settings)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    first, second = (tmp_path / "runs" / name for name in ("exp1", "exp2"))
    assert json.loads((first / "run.json").read_text())["epoch"] == 5
    for file in ("report.html", "figures/curves.svg", "export/model.onnx"):
        assert [run.name for run in (first, second) if not (run / file).is_file()] == [], file
    for answer in ("masks/picture.png", "predicted/picture.png"):
        assert (tmp_path / answer).stat().st_size > 50
    assert "optimization.learning_rate" in done.stdout, "the comparison"
    again, handed_over = (json.loads(line) for line in done.stdout.splitlines()[-2:])
    assert handed_over == again, "the same experiment is the same run"
    assert (handed_over["name"], handed_over["status"]) == ("exp2", "completed")
    assert not handed_over["dataset_deleted"]


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
