"""Records for the benchmark of the pages: runs to compare, and one that trains by this process's hand."""

import math
import time
from dataclasses import replace
from typing import Any

import httpx

from bench.api import a_run
from tests.api.conftest import archive
from tests.api.summary import SUMMARY
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.events import Progress
from trainyard.runs.metric_summary import summarize
from trainyard.settings import Settings
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.storage.metric_rows import write_rows
from trainyard.store.connection import Client

RUNS, EPOCHS = 20, 500
METRICS = ("train_loss", "val_loss", "train_miou", "val_miou")
"""Of the runs that are compared."""
EPOCH_S, STEP_S = 10.0, 1.0
"""How often the run that trains ends an epoch, and tells of a step."""
PATIENT = LeaseRules(lease_s=7200)


def row(epoch: int, run: int = 0) -> dict[str, Any]:
    """What an epoch came to, with noise that is the same every time."""
    noise = 0.02 * math.sin(epoch * 7.3 + run)
    score = 0.85 - 0.6 * math.exp(-epoch / (60 + run)) + noise
    loss = 0.15 + 1.2 * math.exp(-epoch / (50 + run)) - noise
    return {
        "epoch": epoch, "step": 8 * epoch, "lr": 0.001 * (0.5 + 0.5 * math.cos(math.pi * epoch / EPOCHS)),
        "train_loss": loss, "train_dice": score + 0.05, "train_miou": score, "val_loss": loss * 1.15,
        "val_dice": score, "val_miou": score - 0.05, "val_iou/background": min(1.0, score + 0.1),
        "val_iou/pet": score - 0.2, "images_per_second": 212.5, "epoch_seconds": 12.5,
    }  # fmt: skip


def _compared(one: dict[str, Any]) -> dict[str, Any]:
    """Of a row what is compared: the metrics, beside what tells where they are."""
    return {name: one[name] for name in ("epoch", "step", "epoch_seconds", *METRICS)}


def compared_runs(runs: RunRegistry, storage: Storage) -> list[str]:
    """Twenty ended runs with 500 epochs each; their ids."""
    spec = Experiments(Settings().configs).compose({})
    made = []
    for number in range(RUNS):
        rows = [_compared(row(epoch, number)) for epoch in range(1, EPOCHS + 1)]
        spec_of = replace(spec, optimization=replace(spec.optimization, learning_rate=0.001 / (number + 1)))
        values = {"epochs": EPOCHS, "epoch": EPOCHS, "metrics_of": 2, **summarize(rows, "val_miou")}
        run = replace(a_run(1_000_000 + number, spec_of), **values)
        runs._store.restore({run.id: run}, runs._life, runs.rules)
        write_rows(storage.run(run.id), 2, rows)
        made.append(run.id)
    return made


class LiveRun:
    """A run that trains: epochs, steps and lines of its log come as this process makes them."""

    def __init__(self, http: httpx.Client, client: Client, storage: Storage) -> None:
        self._storage = storage
        self._runs = RunRegistry(client, storage, PATIENT)
        datasets = DatasetRegistry(client, storage, PATIENT)
        answer = http.post("/api/v1/datasets", data={"name": "shapes"}, files={"file": ("s.zip", archive())})
        set_held = datasets.claim("ingest", "hand")
        assert set_held is not None, answer.text
        datasets.finish(set_held, "ready", summary=SUMMARY)
        body = {"dataset_id": set_held.id, "spec": {"epochs": 10_000}, "name": "live"}
        http.post("/api/v1/runs", json=body).raise_for_status()
        held = self._runs.claim("cpu", "hand") or self._runs.claim("gpu", "hand")
        assert held is not None
        self.held = held
        self._epoch = 0
        self._rows: list[dict[str, Any]] = []
        folder = storage.run(held.id)
        folder.log.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(200):
            self._end_epoch()

    def train(self, seconds: float) -> None:
        """Go on for so long."""
        begin = time.monotonic()
        for step in range(round(seconds / STEP_S)):
            time.sleep(max(0.0, begin + step * STEP_S - time.monotonic()))
            self._runs.report(self.held, self._progress(step))
            if step % round(EPOCH_S / STEP_S) == 0:
                self._end_epoch()

    def _end_epoch(self) -> None:
        self._epoch += 1
        self._rows.append(row(self._epoch))
        folder = self._storage.run(self.held.id)
        with folder.log.open("a") as log:
            log.writelines(
                f"2026-11-29 INFO epoch {self._epoch}: line {line} of its log\n" for line in range(5)
            )
        write_rows(folder, self.held.fence, self._rows)
        values = {"metrics_of": self.held.fence, "epoch": self._epoch, "step": 8 * self._epoch}
        self.held = self._runs.update(self.held, **values, **summarize(self._rows, "val_miou"))
        self._runs.publish_status(self.held)

    def _progress(self, step: int) -> Progress:
        return Progress(
            stage="train", epoch=self._epoch + 1, epochs=10_000, step=8 * self._epoch + step % 8,
            steps_per_epoch=8, loss=0.2, images_per_second=212.5 + step % 7, eta_seconds=400.0,
            eta_low_seconds=360.0, eta_high_seconds=480.0,
        )  # fmt: skip
