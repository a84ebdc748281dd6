"""Backup and restore as docs/operations.md says: a copy of storage and an empty Redis have everything."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from app import create_app
from app.composition import EXTENSION
from tests.api.conftest import Hand, submit
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.storage.metric_rows import write_rows
from trainyard.store.connection import Client

RUNS = "/api/v1/runs"
OF_THE_HOLDER = {"status", "owner", "started_at", "revision", "interrupted", "attempts"}
"""What changes for a run whose worker is not there."""


def seen(client: FlaskClient, run_ids: list[str]) -> dict[str, Any]:
    """What clients can read."""
    lists = [f"{RUNS}?sort=best.val_miou", f"{RUNS}?tag=kept&fields=id", "/api/v1/datasets"]
    of_runs = [f"{RUNS}/{one}{part}" for one in run_ids for part in ("", "/metrics", "/log")]
    paths = [*lists, *of_runs, "/api/v1/projects/lab"]
    return {path: (answer := client.get(path)).get_json(silent=True) or answer.text for path in paths}


def test_a_copy_of_storage_is_a_backup(
    client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage, settings: Settings,
    redis_client: Client, tmp_path: Path,
):  # fmt: skip
    client.put("/api/v1/projects/lab", json={"max_concurrent": 3})
    completed, training, queued = (
        submit(client, dataset_id, project="lab", tags=["kept"], group="g", priority=9 - number).json["id"]
        for number in range(3)
    )
    held = hand.begin()
    rows = [{"epoch": one, "step": one, "val_loss": 1 / one, "val_miou": one / 4} for one in (1, 2)]
    write_rows(storage.run(completed), held.fence, rows)
    held = hand.runs.update(held, epoch=2, metrics_of=held.fence)
    hand.runs.add_summary(held)
    storage.run(completed).log.parent.mkdir()
    storage.run(completed).log.write_text("trained\n")
    hand.runs.publish_status(hand.runs.finish(held, "completed", result={"best_epoch": 2}))
    hand.begin()
    before = seen(client, [completed, queued])
    events = client.get(f"{RUNS}/{completed}/events").text

    shutil.copytree(storage.root, tmp_path / "restored")
    redis_client.flushall()
    app = create_app(replace(settings, storage=tmp_path / "restored"))
    restored = app.test_client()
    assert restored.get(RUNS).status_code == 503, "no list is answered before all records are there"
    app.extensions[EXTENSION].housekeeper.compare()
    app.extensions[EXTENSION].housekeeper.look()

    for path, told in seen(restored, [completed, queued]).items():
        if path.startswith(f"{RUNS}?sort"):
            items = [
                [{k: v for k, v in item.items() if k not in OF_THE_HOLDER} for item in answer["items"]]
                for answer in (told, before[path])
            ]
            assert items[0] == items[1]
        elif "/projects/" in path:
            assert told.pop("runs") == {"completed": 1, "queued": 2}
            assert told == {name: value for name, value in before[path].items() if name != "runs"}
        elif queued not in path or "/log" in path:
            assert told == before[path], path
    assert restored.get(f"{RUNS}/{completed}/events").text == events
    again = restored.get(f"{RUNS}/{training}").json
    assert (again["status"], again["interrupted"]) == ("queued", True), "it goes on where it was"
    assert restored.get(f"{RUNS}/{queued}").json["waiting"]["position"] == 2
