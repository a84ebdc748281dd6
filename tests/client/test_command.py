"""Which server a command asks, and with which status it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trainyard_client.command.runs.assignments import spec_of
from trainyard_client.command.runs.watch_view import WatchView, epoch_line, sparkline
from trainyard_client.command.terminal.settings import Profiles, resolve
from trainyard_client.errors import SettingsError


def run(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainyard_client", *arguments]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("--help",), 0), (("run", "nonsense"), 2), (("run", "ls", "--url", "http://127.0.0.1:1"), 6)],
)
def test_statuses(arguments: tuple[str, ...], status: int, tmp_path: Path):
    assert run(*arguments, home=tmp_path).returncode == status


def test_json_is_one_document_on_standard_output(tmp_path: Path):
    done = run("config", "show", "--json", home=tmp_path)
    assert json.loads(done.stdout)["url"] == {"value": "http://127.0.0.1:8000", "source": "default"}


def test_a_profile_is_kept_for_its_user_alone_and_its_key_goes_to_no_other_server(tmp_path: Path):
    profiles = Profiles(tmp_path / "config.json")
    profiles.change("lab", url="http://lab", api_key="secret")
    profiles.use("lab")
    assert profiles.path.stat().st_mode & 0o777 == 0o600
    assert resolve(None, None, {}, profiles).api_key.value == "secret"
    assert resolve("http://other", None, {}, profiles).api_key.value is None
    assert resolve(None, None, {"TRAINYARD_URL": "http://env"}, profiles).url.source == "TRAINYARD_URL"
    with pytest.raises(SettingsError, match="no profile"):
        resolve(None, "nope", {}, profiles)


def test_assignments_are_json_where_they_can_be():
    texts = ["data.batch_size=16", "model.architecture=Unet", "optimization.lr=1e-3", "a=[1, 2]"]
    assert spec_of(None, texts, epochs=3) == {
        "data": {"batch_size": 16},
        "model": {"architecture": "Unet"},
        "optimization": {"lr": 0.001},
        "a": [1, 2],
        "epochs": 3,
    }


def test_a_sparkline_spans_lowest_to_highest():
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([2.0, 2.0]) == "▁▁"


def test_help_imports_neither_httpx_nor_rich_nor_the_engine(tmp_path: Path):
    code = (
        "import sys; sys.argv = ['trainyard', *sys.argv[1:]]\n"
        "from trainyard_client.command.main import main\n"
        "try: main()\n"
        "finally: print(sorted({'httpx', 'rich', 'torch', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    )
    for words in (["--help"], ["run", "--help"], ["completion", "bash"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        )
        assert done.stderr.splitlines()[-1] == "[]", words


def test_a_shell_completes_commands(tmp_path: Path):
    words = {"COMP_WORDS": "trainyard run s", "COMP_CWORD": "2", "_TRAINYARD_COMPLETE": "bash_complete"}
    code = "import sys; sys.argv = ['trainyard']; from trainyard_client.command.main import main; main()"
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", **words}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert {"plain,submit", "plain,show", "plain,stop"} == set(done.stdout.split())


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_experiments_of_this_machine_are_compared_without_a_server(words: tuple[str, ...], tmp_path: Path):
    for name, rate in (("exp1", 0.1), ("exp2", 0.2)):
        (tmp_path / name).mkdir()
        record = {
            "id": "run-1", "name": name, "status": "completed",
            "spec": {"epochs": 3, "optimization": {"learning_rate": rate}},
            "result": {"best": {"epoch": 2, "val_miou": 0.5 + rate}},
        }  # fmt: skip
        (tmp_path / name / "run.json").write_text(json.dumps(record))
    done = run("run", "compare", str(tmp_path / "exp1"), str(tmp_path / "exp2"), *words, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "optimization.learning_rate" in done.stdout
    assert "epochs" not in done.stdout
    assert "0.7" in done.stdout


def test_a_line_of_an_epoch_fits_eighty_columns():
    row = {"epoch": 999, "train_loss": 12.3456, "val_loss": 12.3456, "val_miou": 0.5, "val_dice": 0.5}
    line = epoch_line({**row, "images_per_second": 12345.6})
    assert line == "epoch 999  train loss 12.3456  val loss 12.3456  val mIoU 0.5000  12346 images/s"
    assert len(line) <= 80


def test_a_watched_run_that_finishes_has_trained_all_of_its_epochs():
    view = WatchView("a run", 3, "val_miou")
    view.add("status", {"status": "running"})
    view.add("progress", {"stage": "val", "epoch": 3, "epochs": 3, "step": 10, "steps_per_epoch": 5})
    assert (view.stage(), view.share()) == ("val 3/3", pytest.approx(2 / 3))
    view.add("status", {"status": "finishing"})
    assert (view.stage(), view.share()) == ("finishing", 1.0)
    view.add("progress", {"stage": "report", "epoch": 3, "epochs": 3, "step": 15, "steps_per_epoch": 0})
    assert (view.stage(), view.share()) == ("finishing: report", 1.0)
