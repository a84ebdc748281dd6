"""What stands for training and finishing where the service alone is measured: a child that sleeps."""

import time
from pathlib import Path
from typing import Any

from trainyard.storage.files import RunFolder
from workers.process.child import Link, Message

EPOCHS = 5


def work(link: Link, job: Message) -> None:
    """Sleep for as long as the file `seconds` beside the data says, and tell epochs; or finish at once."""
    link.listen(lambda _: None)
    if "run_id" not in job:
        report = RunFolder(Path(job["folder"])).report_json
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text("{}")
        link.send({"result": {"export": None}})
        return
    seconds = float(Path(job["prepared"], "seconds").read_text())
    link.send({"event": {"event": "began", "device": "none", "epoch": 0, "step": 0}})
    for number in range(1, EPOCHS + 1):
        time.sleep(seconds / EPOCHS)
        row: dict[str, Any] = {"epoch": number, "step": number, "val_miou": 0.5, "val_loss": 0.5}
        link.send({"event": {"event": "epoch", "epoch": number, "step": number, "metrics": row}})
    link.send({"result": {"status": "completed", "target": job["epochs"], "epoch": EPOCHS, "step": EPOCHS}})
