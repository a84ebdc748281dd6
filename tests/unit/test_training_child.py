"""The process that trains a run, before it trains."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.records import a_run
from trainyard.settings import REPOSITORY
from workers.runs.job_message import job_to_message
from workers.training.job import TrainingJob

SCRIPT = """
import json, os, sys
from pathlib import Path
from trainyard.errors import TrainyardError
from workers.runs import training_child

class Link:
    def listen(self, receive): pass
    def send(self, message): pass

def fit(job, report, signals):
    Path(sys.argv[2]).write_text(json.dumps([job.device_class, os.environ.get("CUDA_VISIBLE_DEVICES")]))
    raise TrainyardError("enough")

training_child.fit_epochs = fit
training_child.work(Link(), json.loads(sys.argv[1]))
"""


@pytest.mark.parametrize(("device_class", "seen"), [("cpu", ""), ("gpu", "0,1"), ("gpu-large", "0,1")])
def test_a_run_of_the_processors_class_sees_no_gpu(tmp_path: Path, device_class: str, seen: str):
    run = a_run(1)
    job = TrainingJob(
        run_id=run.id,
        spec=run.spec,
        epochs=1,
        folder=tmp_path / "run",
        prepared=tmp_path,
        weights_file=None,
        threads=1,
        device_class=device_class,
    )
    subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(job_to_message(job)), str(tmp_path / "seen")],
        cwd=REPOSITORY,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "0,1"},
        check=True,
    )
    assert json.loads((tmp_path / "seen").read_text()) == [device_class, seen]
