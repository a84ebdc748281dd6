"""`trainyard train`, as a process and its mistakes."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.e2e.conftest import Stack, start_stack, stop_stack
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


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Stack]:
    """A service that trains nothing."""
    running = start_stack(tmp_path / "storage", "redis", "web", "ingest")
    yield running
    stop_stack(running)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("data", ["made", pytest.param("nuclei", marks=pytest.mark.long)])
def test_the_first_ten_minutes(
    data: str,
    shapes: Path,
    service: Stack,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
):
    """Train, go on, fork, compare, hand over to a service, predict: with a made set, and with a real one."""
    source = shapes if data == "made" else request.getfixturevalue("shared_data") / data
    first, target = ("1", "2") if data == "made" else ("3", "5")
    monkeypatch.chdir(tmp_path)
    assert "runs/exp1/report.html" in here(str(source), "--epochs", first, *TINY, *WITHOUT_EXPORT).stdout
    assert json.loads(here("--resume", "exp1", "--epochs", target, "--json").stdout)["epochs"] == int(target)
    other = ("--set", "optimization.learning_rate=0.0001", "--set", "export.onnx=true")
    assert "runs/exp2/export/model.onnx" in here("--fork", "exp1", "--epochs", "1", *other).stdout
    compared = CliRunner().invoke(compare, ["runs/exp1", "runs/exp2", "--json"])
    settings = [one["settings"] for one in json.loads(compared.stdout)]
    assert [one["optimization.learning_rate"] for one in settings] == [0.001, 0.0001]

    url = str(service.http.base_url)
    handed_over = ("run", "import", "runs/exp1", "runs/exp2", "--group", "first", "--with-data", "--json")
    runs = json.loads(said("--url", url, *handed_over, folder=tmp_path))
    assert [(run["name"], run["status"], run["epoch"]) for run in runs] == [
        ("exp1", "completed", int(target)),
        ("exp2", "completed", 1),
    ]
    assert not any(run["dataset_deleted"] for run in runs), "the set was sent, and is one for both"
    assert runs[0]["dataset_id"] == runs[1]["dataset_id"]
    assert runs[1]["forked_from"]["run_id"] == runs[0]["id"]
    again = said("--url", url, "run", "import", "runs/exp2", "-q", "--group", "first", folder=tmp_path)
    assert again.strip() == runs[1]["id"]
    said("--url", url, "model", "register", runs[1]["id"], "first", folder=tmp_path)
    pictures = pictures_of(source, tmp_path / "pictures")
    said("--url", url, "model", "predict", "first", *pictures, "--to", "predicted", folder=tmp_path)
    assert (tmp_path / "predicted" / Path(pictures[0]).name).stat().st_size > 50


def said(*words: str, folder: Path) -> str:
    """What a command says that does what it is asked; `--url` goes behind its name."""
    option, url, *rest = words
    done = command(*rest, option, url, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pictures_of(source: Path, folder: Path) -> list[str]:
    """A picture of the data set."""
    folder.mkdir()
    if source.is_dir():
        found = next(path for path in sorted(source.rglob("*.png")) if "image" in path.parent.name)
        return [str(found)]
    with zipfile.ZipFile(source) as archive:
        name = next(one for one in archive.namelist() if one.startswith("images/"))
        (folder / "a.png").write_bytes(archive.read(name))
    return [str(folder / "a.png")]


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
