"""A child for tests of failures: does what its data set's folder says, then ends, or hangs."""

import json
import os
import time
from pathlib import Path

from tests.unit.scripted_child import epoch


def work(link, job):
    script = json.loads(Path(job["prepared"], "script").read_text())
    signals = []
    link.listen(signals.append)
    link.send(epoch(1))
    if "signal" in script:
        os.kill(os.getpid(), script["signal"])
    if "error" in script:
        link.send({"error": script["error"]})
    if "result" in script:
        while script["result"] == "stopped" and not any(signal["stop"] for signal in signals):
            time.sleep(0.02)
        link.send({"result": {"status": script["result"], "target": job["epochs"], "epoch": 1, "step": 2}})
    if "hang" in script:
        time.sleep(3600)
