"""Training without any service."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.training.conftest import CONFIGS, tiny_spec
from trainyard.storage.files import RunFolder
from workers.training.__main__ import main


def test_trains_and_prints_a_line_per_epoch(
    prepared: Path, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(tiny_spec(epochs=2)))
    arguments = [str(spec), "--prepared", str(prepared), "--out", str(run_folder), "--threads", "1"]
    assert main(arguments) == 0

    printed = capsys.readouterr().out
    assert printed.count("val mIoU") == 3
    assert "completed: best epoch" in printed
    assert RunFolder(run_folder).best_checkpoint.exists()


def test_a_refused_spec_names_the_field(
    prepared: Path, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("epochs: 0\n")
    assert main([str(spec), "--prepared", str(prepared), "--out", str(run_folder)]) == 1
    assert "epochs" in capsys.readouterr().err
    assert not run_folder.exists()


def test_importing_the_engine_touches_no_device_and_no_service() -> None:
    """The forkserver preloads it: a device opened there would be of no use to any child."""
    code = (
        "import json, sys, workers.training.fit, torch; "
        "print(json.dumps([torch.cuda.is_initialized(), "
        "[name for name in ('celery', 'redis', 'flask', 'app') if name in sys.modules]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CONFIGS.parent, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [False, []]
