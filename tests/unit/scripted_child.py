"""A child for the supervisor's tests: reports and ends as the script in its data set's folder says."""

import os
import signal
import time
from pathlib import Path


def epoch(number):
    row = {"epoch": number, "step": number * 2, "val_miou": 0.5}
    return {"event": {"event": "epoch", "epoch": number, "step": number * 2, "metrics": row}}


def work(link, job):
    script = Path(job["prepared"], "script").read_text()
    signals = []
    link.listen(signals.append)
    link.send(epoch(1))
    if script == "crash":
        raise RuntimeError("the engine broke")
    if script == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if script == "refused":
        error = {"code": "nan_loss", "cause": "user", "message": "NaN", "remedy": "lower it", "errors": {}}
        link.send({"error": error})
        return
    if script == "fork":
        weights = {"loaded_layers": 9, "total_layers": 10, "skipped": ["head (absent)"]}
        link.send({"event": {"event": "weights", **weights}})
    if script == "until stopped":
        while not any(signal["stop"] for signal in signals):
            time.sleep(0.05)
    if script.startswith("slow"):
        for number in range(2, 6):
            time.sleep(float(script.removeprefix("slow ")))
            link.send(epoch(number))
    result = {"status": "stopped" if script == "until stopped" else "completed", "epoch": 5, "step": 10}
    link.send({"result": result})
