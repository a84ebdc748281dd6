"""Records for pages to show, made by the hands that API and workers would make them with."""

import math
from typing import Any

from tests.api.conftest import archive
from tests.api.exported import export
from tests.api.server import Server
from tests.api.summary import SUMMARY, write_played
from trainyard.runs.events import Progress
from trainyard.runs.metric_summary import summarize
from trainyard.runs.record import Run
from trainyard.storage.metric_rows import write_rows
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore

HOSTILE = "<script>alert(1)</script>\"'>\u05e9\u05dc\u05d5\u05dd<img src=x onerror=alert(2)>" + "w" * 40
"""100 characters, as many as names have: markup, quotes, letters that run from right to left, a long word."""
HOSTILE_CLASS = "\u202e<script>alert(3)</script>\"'</bdi>" + "w" * 166
"""200 characters, with a mark of direction that names of records may not hold."""
EPOCHS = 40
NAMES = ("background", "nucleus", "debris")
"""Classes of exported networks."""


def dataset(server: Server, name: str = "shapes", project: str = "lab", **summary: Any) -> str:
    """A data set that is ready; its id. `versions` and `version` are the record's, the rest its summary's."""
    record = {part: summary.pop(part) for part in ("versions", "version") if part in summary}
    answer = server.http.post(
        "/api/v1/datasets", data={"name": name, "project": project}, files={"file": ("set.zip", archive())}
    )
    assert answer.status_code == 202, answer.text
    held = server.datasets.claim("ingest", "hand")
    assert held
    done = server.datasets.finish(held, "ready", summary={**SUMMARY, **summary}, **record)
    return write_played(server.storage, done).id


def run(server: Server, dataset_id: str, **body: Any) -> str:
    """A queued run; its id."""
    answer = server.http.post(
        "/api/v1/runs", json={"dataset_id": dataset_id, "spec": {"epochs": EPOCHS}, **body}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def begin(server: Server) -> Run:
    """The next run, in work."""
    held = server.runs.claim("cpu", "hand")
    assert held
    return held


def train(server: Server, held: Run, epochs: int, first: int = 1) -> Run:
    """The run after so many epochs, with rows for each."""
    rows = [row(epoch) for epoch in range(1, epochs + 1)]
    write_rows(server.storage.run(held.id), held.fence, rows)
    values = {"metrics_of": held.fence, "epoch": epochs, "step": 8 * epochs}
    return server.runs.update(held, **values, **summarize(rows, held.spec.checkpoints.monitor))


def row(epoch: int) -> dict[str, Any]:
    """What an epoch came to: a curve that flattens, with a little noise that is the same every time."""
    noise = 0.02 * math.sin(epoch * 7.3)
    score = 0.85 - 0.6 * math.exp(-epoch / 9) + noise
    loss = 0.15 + 1.2 * math.exp(-epoch / 7) - noise
    return {
        "epoch": epoch,
        "step": 8 * epoch,
        "lr": 0.001 * (0.5 + 0.5 * math.cos(math.pi * epoch / EPOCHS)),
        "train_loss": loss,
        "train_dice": score + 0.05,
        "train_miou": score,
        "val_loss": loss * 1.15,
        "val_dice": score,
        "val_miou": score - 0.05,
        "val_iou/background": min(1.0, score + 0.1),
        "val_iou/pet": score - 0.2,
        "images_per_second": 212.5,
        "epoch_seconds": 12.5,
        "device_utilization": 0.9 + noise,
        "device_memory_gb": 11.2,
    }


def progress(epoch: int, step: int) -> Progress:
    """Where a run is that trains."""
    return Progress(
        stage="train",
        epoch=epoch,
        epochs=EPOCHS,
        step=step,
        steps_per_epoch=8,
        loss=0.2,
        images_per_second=212.5,
        eta_seconds=400.0,
        eta_low_seconds=360.0,
        eta_high_seconds=480.0,
    )


def exported(server: Server, dataset_id: str, content: bytes, miou: float = 0.81, **body: Any) -> str:
    """A completed run whose exported file has that content; its id."""
    run(server, dataset_id, priority=9, **body)
    held = train(server, begin(server), EPOCHS)
    export(server.storage.run(held.id), content, miou=miou, names=NAMES)
    facts = {
        "file": "export/model.onnx", "precision": "fp32", "bytes": len(content), "max_difference": 1e-6,
        "val_miou": 0.8, "torch_val_miou": 0.8,
    }  # fmt: skip
    return server.runs.finish(held, "completed", result={"best_epoch": EPOCHS, "export": facts}).id


def predicts(server: Server) -> str:
    """Lets a worker be seen that predicts; its id."""
    worker = WorkerState(
        id="h:1:x", host="h", pid=1, queues=("predict",), device="CPU", memory_bytes=1, started_at=0.0
    )
    WorkerStore(server.client).beat(worker)
    return worker.id
