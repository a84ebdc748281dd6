"""The process that trains a run, before it trains."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.unit.records import a_run
from trainyard.settings import REPOSITORY
from workers.runs.job_message import job_to_message
from workers.training.job import TrainingJob

SCRIPT = """
import json, os, sys
from trainyard.errors import TrainyardError
from workers.runs import training_child

class Link:
    def listen(self, receive): pass
    def send(self, message): pass

def fit(job, report, signals):
    with open(sys.argv[2], "a") as seen:
        print(json.dumps([job.device_class, os.environ.get("CUDA_VISIBLE_DEVICES")]), file=seen)
    raise TrainyardError("enough")

training_child.fit_epochs = fit
for message in json.loads(sys.argv[1]):
    if os.fork() == 0:
        training_child.work(Link(), message)
        os._exit(0)
    assert os.wait()[1] == 0
"""
"""Begins each job in a process of its own; they share the imports."""


def test_only_a_run_of_the_processors_class_sees_no_gpu(tmp_path: Path):
    run, seen = a_run(1), {"cpu": "", "gpu": "0,1", "gpu-large": "0,1"}
    jobs = [
        TrainingJob(
            run_id=run.id,
            spec=run.spec,
            epochs=1,
            folder=tmp_path / "run",
            prepared=tmp_path,
            weights_file=None,
            threads=1,
            device_class=device_class,
        )
        for device_class in seen
    ]
    subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([job_to_message(job) for job in jobs]), tmp_path / "seen"],
        cwd=REPOSITORY,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "0,1"},
        check=True,
    )
    found = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    assert found == [list(pair) for pair in seen.items()]
