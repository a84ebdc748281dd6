"""A child for tests of finishing: writes results, then ends or waits as a script beside the data set says."""

import json
import os
import signal
import time
from pathlib import Path

from trainyard.storage.files import RunFolder
from workers.process.child import FENCED


def write_results(job):
    folder = RunFolder(Path(job["folder"]))
    for file in (folder.report_json, folder.report_html, folder.onnx, folder.figures / "overlay.png"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"attempt": folder.path.name}))


def work(link, job):
    script = json.loads(Path(job["prepared"], "finishing").read_text())
    link.listen(lambda _: None)
    where = {name: job[name] for name in ("epoch", "epochs", "step")}
    progress = {"stage": "report", "steps_per_epoch": 0, "loss": None, "images_per_second": None,
                "eta_seconds": None, **where}  # fmt: skip
    link.send({"event": {"event": "progress", **progress}})
    write_results(job)
    if "signal" in script:
        os.kill(os.getpid(), getattr(signal, script["signal"]))
    if script == "fenced":
        os._exit(FENCED)
    if script == "wait":
        time.sleep(60)
    if "error" in script:
        link.send(
            {"error": {"cause": "infrastructure", "message": "m", "remedy": "r", "errors": {}, **script}}
        )
        return
    export = {"file": "export/model.onnx", "of": job["device_class"], "wanted": job["export"]}
    link.send({"result": {"export": export}})
