"""A child for the supervisor's tests: reports and ends as the script in its data set's folder says."""

import hashlib
import json
import os
import signal
import time
from pathlib import Path

from trainyard.storage.files import RunFolder
from workers.process.child import FENCED

SAID = {
    "fork": [{"event": "weights", "loaded_layers": 9, "total_layers": 10, "skipped": ["head (absent)"]}],
    "other batches": [
        {"event": "batch", "batch_size": 8, "accumulate_batches": 1},
        {"event": "batch", "batch_size": 4, "accumulate_batches": 2},
    ],
}
"""Events that a script tells beside its epochs."""

PROGRESS = {
    "event": {"event": "progress", "stage": "train", "epoch": 2, "epochs": 5, "step": 2, "steps_per_epoch": 2,
              "loss": None, "images_per_second": None, "eta_seconds": None}
}  # fmt: skip
STUBBORN = "stubborn"
"""A script that trains until it is stopped, whoever drains."""


def epoch(number):
    row = {"epoch": number, "step": number * 2, "val_miou": 0.5}
    return {"event": {"event": "epoch", "epoch": number, "step": number * 2, "metrics": row}}


def checkpoint(job, number, after):
    """Write a checkpoint as the engine does, and tell of it."""
    name = f"e{number}-{os.getpid()}.ckpt"
    file = Path(job["folder"], ".saved", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"weights {number} of {os.getpid()}")
    file.with_name(f"{name}.json").write_text(json.dumps({"schema": 1, "epoch": number}))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    event = {"event": "checkpoint", "kinds": ["last"], "epoch": number, "step": number * 2,
             "file": "last.ckpt", "stored": f".saved/{name}", "bytes": file.stat().st_size,
             "sha256": sha256, "after": after}  # fmt: skip
    return {"event": event}, sha256


def train(link, job, signals):
    """Save and log without end, until told to leave; then save once more."""
    log = RunFolder(Path(job["folder"])).log
    log.parent.mkdir()
    log.write_text("training\n")
    begun = {"event": "began", "device": "abacus", "epoch": 0, "step": 0}
    link.send({"event": begun})
    link.send(PROGRESS)
    message, after = checkpoint(job, 1, None)
    link.send(message)
    while not any(signal["drain"] for signal in signals):
        time.sleep(0.05)
    message, after = checkpoint(job, 2, after)
    link.send(message)
    link.send({"result": {"status": "drained", "epoch": 2, "step": 4}})


def end_itself(script):
    """Die as the script says, if it does."""
    if script == "crash":
        raise RuntimeError("the engine broke")
    if script == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if script == "fenced":
        os._exit(FENCED)


def work(link, job):
    script = Path(job["prepared"], "script").read_text()
    signals = []
    link.listen(signals.append)
    if script == STUBBORN:
        link.send(PROGRESS)
    link.send(epoch(1))
    if script == "train":
        train(link, job, signals)
        return
    end_itself(script)
    if script == "refused":
        error = {"code": "nan_loss", "cause": "user", "message": "NaN", "remedy": "lower it", "errors": {}}
        link.send({"error": error})
        return
    for event in SAID.get(script, []):
        link.send({"event": event})
    while script in ("until stopped", STUBBORN) and not any(signal["stop"] for signal in signals):
        time.sleep(0.05)
    if script.startswith("slow"):
        for number in range(2, 6):
            time.sleep(float(script.removeprefix("slow ")))
            link.send(epoch(number))
    status = "stopped" if script == "until stopped" else "completed"
    link.send({"result": {"status": status, "target": job["epochs"], "epoch": 5, "step": 10}})
