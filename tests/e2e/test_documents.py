"""The shell lines of docs/, as they stand there, run against a real stack."""

import shutil
from pathlib import Path

import pytest

from deploy.synthetic import write_synthetic
from tests.e2e.conftest import Stack
from tests.e2e.walks import lines, walk
from trainyard.settings import REPOSITORY

IN_ORDER = ("datasets", "api", "models", "webhooks", "operations", "contracts")
"""Pages whose lines are of a stack with a completed run of one project."""
MADE_BEFORE = r"""
API=http://127.0.0.1:8000/api/v1
field() { python3 -c "import json,sys; print(json.load(sys.stdin)['$1'])"; }
JSON='Content-Type: application/json'
DATASET=$(trainyard dataset add set.zip -q --project lab)
RUN=$(trainyard run submit $DATASET -q -e demo --epochs 1)
trainyard run wait $RUN
"""
NONE_TRAINS = """
for WAITING in $(trainyard run ls --json | python3 -c "
import json, sys
print(*(run['id'] for run in json.load(sys.stdin) if run['status'] in ('queued', 'running')))"); do
  trainyard run cancel $WAITING --yes
done
"""
IT_TRAINS = """
status() { curl -s http://127.0.0.1:8000/training/status | field status; }
while [ "$(status)" = started ]; do sleep 0.5; done
case $(status) in running | not_running) ;; *) status; exit 1 ;; esac
"""


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines need curl")
def test_every_line_of_a_stack_runs(walked: Stack, tmp_path: Path):
    _draw(tmp_path, 20)
    _lay_out(tmp_path, walked.storage / "incoming" / "roads")
    pages = [lines((REPOSITORY / "docs" / f"{name}.md").read_text()) for name in IN_ORDER]
    assert all(pages)
    done = walk(MADE_BEFORE + NONE_TRAINS.join(pages) + IT_TRAINS, walked, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert '"code"' not in done.stdout, "no request is refused"
    for name in ("model.onnx", "best.safetensors", "overlay.png", "answers.zip", "predicted/photo.png"):
        assert (tmp_path / name).stat().st_size > 100, name


def _draw(folder: Path, images: int) -> None:
    """A data set as an archive and as folders, and pictures to ask a model about."""
    write_synthetic(folder / "set.zip", images)
    shutil.unpack_archive(folder / "set.zip", folder)
    drawn = sorted((folder / "images").iterdir())
    (folder / "photos").mkdir()
    for name, picture in zip(("photo.jpg", "a.jpg", "b.tif", "photos/photo.jpg"), drawn, strict=False):
        shutil.copyfile(picture, folder / name)


def _lay_out(drawn: Path, root: Path) -> None:
    """The data set in folders by part, as the training contract takes it."""
    parts = ("train", "train", "train", "val", "test")
    for kind in ("images", "masks"):
        for place, file in enumerate(sorted((drawn / kind).iterdir())):
            folder = root / parts[place % len(parts)] / kind
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / file.name)
