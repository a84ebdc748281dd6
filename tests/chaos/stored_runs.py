"""Runs that ended long ago: a cluster that starts, or starts anew, has many of them in storage."""

import json

from trainyard.runs.record import Run, RunStatus
from trainyard.settings import Settings
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.storage.json_files import SCHEMA
from trainyard.store.codec import Codec

PROJECT = "archive"


def store_runs(storage: Storage, count: int) -> None:
    """Put so many completed runs into storage, of which no Redis knows."""
    codec, spec = Codec(Run), Experiments(Settings().configs).compose({})
    for number in range(count):
        run = Run(
            id=f"run-{number:012x}",
            project=PROJECT,
            name=f"run {number}",
            dataset_id="ds-000000000000",
            dataset_hash="0" * 64,
            spec=spec,
            status=RunStatus.COMPLETED,
            revision=9,
            queue="cpu",
            fence=1,
            created_at=1_700_000_000.0 + number,
            epochs=spec.epochs,
            epoch=spec.epochs,
            result={"status": "completed", "best_epoch": 3, "best": {"epoch": 3, "val_miou": 0.5}},
        )
        file = storage.run(run.id).record
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"schema": SCHEMA, **codec.to_json(run)}))
