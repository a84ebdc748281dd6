"""A client that knows the training contract's page and nothing else, at a real server without workers."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.compat.keys import PARAMETER
from tests.api.conftest import ROOT
from tests.api.server import Server
from tests.waits import wait_for
from trainyard.access import Role
from trainyard.runs.record import Run
from trainyard.storage.files import Storage
from trainyard.storage.metric_rows import write_rows

METRICS = [
    {"epoch": 1, "step": 4, "train_loss": 0.75, "val_loss": 0.5, "val_dice": 0.25},
    {"epoch": 2, "step": 8, "train_loss": 0.5, "val_loss": 0.625, "val_dice": 0.5},
    {"epoch": 3, "step": 12, "train_loss": 0.25, "val_loss": None, "val_dice": None},
]
COLUMNS = ["epoch", "step", "train_loss", "val_loss", "val_dice"]


class Page:
    """Calls the contract, and plays the workers between two calls."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.root = (server.storage.root / "incoming").resolve()
        self.http = server.http

    def call(self, method: str, path: str, status: int = 200, **request: Any) -> Any:
        answer = self.http.request(method, f"/training{path}", **request)
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        return answer.json()

    def start(self, status: int = 200, **changes: Any) -> Any:
        body = {
            "config_name": "demo.yaml",
            "model_name": "default",
            "train_data_dir": "pets/train",
            "test_data_dir": "pets/test",
            **changes,
        }
        return self.call("POST", "/start", status, json=body)

    @property
    def status(self) -> str:
        answer = self.call("GET", "/status")
        assert answer.keys() == {"status"}
        return str(answer["status"])

    def begin(self) -> Run:
        """A worker reads the data set, and another claims the run once it is admitted."""
        self.server.ready_set()
        return self.claimed()

    def claimed(self) -> Run:
        runs = self.server.runs
        held = wait_for(lambda: runs.claim("cpu", "hand") or runs.claim("gpu", "hand"))
        assert held
        return held

    def end(self, held: Run, status: str = "completed", **values: Any) -> None:
        self.server.runs.finish(held, status, **values)


@pytest.fixture
def page(server: Server) -> Page:
    page = Page(server)
    for folder in ("pets/train", "pets/test", "cells/train", "cells/test", "cells/val", "other/train"):
        (page.root / folder).mkdir(parents=True)
        (page.root / folder / "0.png").write_bytes(folder.encode())
    return page


def test_nothing_yet(page: Page):
    assert page.http.get("/ping").json() == {"status": "ok"}
    assert page.status == "not_running"
    assert page.call("POST", "/stop") == {"status": "not_running"}
    assert page.call("GET", "/trained_models") == {"model_paths": []}
    assert page.call("GET", "/metrics/runs") == []
    assert page.call("GET", "/metrics/latest", 404) == {"error": "No training runs found"}
    for path in ("/metrics/runs/run-0123456789ab", "/metrics/runs/x", "/metrics/runs/x/summary"):
        assert page.call("GET", path, 404) == {"error": f"Run {path.split('/')[3]} not found"}


def test_what_there_is_to_train(page: Page):
    names = sorted(path.name for path in Path("configs/experiment").glob("*.yaml"))
    assert page.call("GET", "/configs") == {"available_configs": names}
    (page.root / "linked").symlink_to(page.root / "pets")
    (page.root / "outside").symlink_to("/etc")
    cells, pets = page.root / "cells", page.root / "pets"

    def told(name: str, base: Path, val: Path | None) -> dict[str, Any]:
        paths = {"train_path": str(base / "train"), "test_path": str(base / "test")}
        more = {"val_path": val and str(val), "dataset_base_path": str(base)}
        return {"dataset_name": name, **paths, **more}

    found = [told("cells", cells, cells / "val"), told("linked", pets, None), told("pets", pets, None)]
    assert page.call("GET", "/datasets") == {"datasets": found}


def test_a_training_from_start_to_end(page: Page):
    assert page.start() == {"status": "started"}
    assert page.status == "started"
    assert page.start(409).keys() >= {"error"}
    held = page.begin()
    assert page.status == "running"
    assert page.start(409)["error"]
    [listed] = page.call("GET", "/metrics/runs")
    assert (listed["run_id"], listed["status"], listed["has_metrics"]) == (held.id, "in_progress", False)
    assert page.call("GET", "/metrics/latest")["data"] == []
    folder = page.server.storage.run(held.id)
    write_rows(folder, held.fence, METRICS)
    page.server.runs.update(held, metrics_of=held.fence)
    folder.export.mkdir()
    folder.onnx.write_bytes(b"onnx")
    page.end(held)
    assert page.status == "not_running"
    assert page.call("GET", "/trained_models") == {"model_paths": [str(folder.onnx)]}
    assert page.start() == {"status": "started"}


def test_the_metrics(page: Page):
    page.start()
    held = page.begin()
    folder = page.server.storage.run(held.id)
    write_rows(folder, held.fence, METRICS)
    page.server.runs.update(held, metrics_of=held.fence)
    page.end(held)
    latest = page.call("GET", "/metrics/latest")
    assert page.call("GET", f"/metrics/runs/{held.id}") == latest
    datetime.fromisoformat(latest.pop("last_modified"))
    assert latest == {
        "run_id": held.id,
        "available_columns": COLUMNS,
        "total_rows": 3,
        "max_epoch": 3,
        "max_step": 12,
        "data": METRICS,
        "csv_file": str(folder.metrics_csv),
    }
    [listed] = page.call("GET", "/metrics/runs")
    for name in ("created_at", "modified_at"):
        datetime.fromisoformat(listed.pop(name))
    metrics_file = str(folder.metrics_csv)
    assert listed == {
        "run_id": held.id, "status": "completed", "has_metrics": True, "metrics_file": metrics_file
    }  # fmt: skip
    assert page.call("GET", f"/metrics/runs/{held.id}/summary") == {
        "run_id": held.id,
        "total_epochs": 3,
        "total_steps": 12,
        "best_metrics": {"best_train_loss": 0.25, "best_val_loss": 0.5, "best_val_dice": 0.5},
        "final_metrics": {"epoch": 3, "step": 12, "train_loss": 0.25, "val_loss": 0.625, "val_dice": 0.5},
        "available_columns": COLUMNS,
    }


def test_a_stop_and_what_is_listed_then(page: Page):
    page.start()
    assert page.call("POST", "/stop") == {"status": "stopped"}
    assert page.status == "stopped"
    assert page.call("POST", "/stop") == {"status": "not_running"}
    page.start()
    page.end(page.begin(), "failed", error={"code": "nan_loss", "cause": "user", "message": "It is NaN.",
                                            "remedy": "", "errors": {}})  # fmt: skip
    assert page.status == "error: It is NaN."
    page.start()
    page.end(page.claimed())
    listed = page.call("GET", "/metrics/runs")
    assert [one["status"] for one in listed] == ["completed"] * 3
    assert [one["created_at"] for one in listed] == sorted(
        (one["created_at"] for one in listed), reverse=True
    )


def test_a_stop_that_takes_longer_than_it_is_waited_for_is_a_stop(page: Page):
    page.start()
    held = page.begin()
    assert page.status == "running"
    assert page.call("POST", "/stop") == {"status": "stopped"}
    assert page.server.runs.get(held.id).status == "running", "its batch is a long one"
    assert page.status == "stopped"
    assert "error" in page.start(status=409)
    page.end(held, "stopped")
    assert page.status == "stopped"


def test_a_data_set_that_cannot_be_read_is_the_error_of_its_run(page: Page):
    page.start()
    held = page.server.datasets.claim("ingest", "hand")
    assert held
    problem = {"severity": "error", "code": "mask_missing", "file": "a", "message": "No mask.", "remedy": "x"}
    error = {"code": "bad_dataset", "cause": "user", "message": "m", "remedy": "r", "errors": {}}
    page.server.datasets.finish(held, "failed", error=error, problems=[problem])
    said = f"error: Data set {held.id} cannot be trained on: No mask."
    assert wait_for(lambda: page.status, lambda status: status != "started") == said
    assert page.start() == {"status": "started"}
    assert page.begin().dataset_id == held.id, "it is read again"


ABSENT_OR_OUTSIDE = [
    ("config_name", "nope.yaml"), ("config_name", "../defaults.yaml"),
    ("train_data_dir", "pets/nope"), ("test_data_dir", "pets/train/0.png"), ("val_data_dir", "pets/val"),
    ("train_data_dir", "/etc"), ("train_data_dir", "../runs"), ("train_data_dir", "data/../../runs"),
    ("train_data_dir", "out"), ("test_data_dir", "pets/out"), ("train_data_dir", "loop"),
    ("train_data_dir", "x" * 4000),
]  # fmt: skip


def test_what_is_not_there_or_lies_outside(page: Page):
    (page.root / "out").symlink_to("/etc")
    (page.root / "pets" / "out").symlink_to(page.root.parent)
    (page.root / "loop").symlink_to(page.root / "loop")
    for field, value in ABSENT_OR_OUTSIDE:
        assert field in page.start(404, **{field: value})["errors"] or field.endswith("dir")
        assert page.call("GET", "/metrics/runs") == [], (field, value)
        assert page.http.get("/api/v1/datasets").json()["items"] == [], (field, value)


BAD: list[dict[str, Any]] = [
    {"config_name": 1}, {"train_data_dir": None}, {"train_data_dir": ["a"]}, {"test_data_dir": ""},
    {"val_data_dir": 3}, {"model_name": "Nope"}, {"model_name": ""}, {"train_data_dir": "a\x00b"},
]  # fmt: skip


def test_bad_bodies(page: Page):
    for body in BAD:
        assert page.start(400, **body)["error"], body
    for content in (b"", b"{", b"[]", b"{}", b'{"config_name": "demo.yaml"}'):
        headers = {"Content-Type": "application/json"}
        assert page.call("POST", "/start", 400, content=content, headers=headers)["error"]
    assert page.call("POST", "/start", 400, content=b"x=1", headers={"Content-Type": "text/plain"})["error"]
    assert page.call("PUT", "/start", 405)["error"]
    assert page.call("GET", "/nope", 404)["error"]


def test_the_model_is_the_configurations_own_or_another(page: Page):
    page.start(model_name="Linknet", config_name="demo")
    run = page.http.get("/api/v1/runs").json()["items"][0]
    full = page.http.get(f"/api/v1/runs/{run['id']}").json()
    assert (full["project"], full["experiment"]) == ("training", "demo")
    assert full["spec"]["model"]["architecture"] == "Linknet"
    assert full["waiting"]["reason"]["code"] == "awaiting_dataset"


def test_the_same_folders_are_one_data_set_read_in_place(page: Page):
    (page.root / "cells" / "classes.json").write_text("{}")
    (page.root / "cells" / "spare.zip").write_bytes(b"PK")
    before = sorted((path, path.stat().st_mtime_ns) for path in page.root.rglob("*"))
    spellings = [
        ("cells/train", "cells/test", "cells/val"),
        ("data/cells/train", "data/cells/test/", "./cells/val"),
        tuple(str(page.root / "cells" / split) for split in ("train", "test", "val")),
    ]
    found = []
    for train, test, val in spellings:
        page.start(train_data_dir=train, test_data_dir=test, val_data_dir=val)
        held = page.claimed() if found else page.begin()
        found.append(held.dataset_id)
        page.end(held)
    [dataset] = page.http.get("/api/v1/datasets").json()["items"]
    assert set(found) == {dataset["id"]}
    record = page.server.datasets.get(dataset["id"])
    assert (record.fence, record.project, record.name) == (1, "training", "cells")
    texts = {"classes.json": "cells/classes.json"}
    assert record.parts == {split: f"cells/{split}" for split in ("train", "test", "val")} | texts
    assert sorted((path, path.stat().st_mtime_ns) for path in page.root.rglob("*")) == before
    folder = page.server.storage.dataset(dataset["id"])
    shutil.rmtree(folder.prepared)
    copies = [path for path in folder.path.rglob("*") if path.is_file()]
    assert [path.name for path in copies] == ["dataset.json"]


def test_folders_that_have_changed_are_read_again(page: Page):
    page.start()
    first = page.begin()
    page.end(first)
    (page.root / "pets" / "train" / "1.png").write_bytes(b"more")
    page.start()
    assert page.status == "started"
    assert page.begin().dataset_id == first.dataset_id
    assert page.server.datasets.get(first.dataset_id).fence == 2


@pytest.fixture
def keyed_page(redis_url: str, tmp_path: Path) -> Iterator[Page]:
    """Of a server that needs keys."""
    hashes = hashlib.sha256(ROOT.encode()).hexdigest()
    server = Server(redis_url, tmp_path, TRAINYARD_API_KEY_HASHES=hashes)
    try:
        server.start()
        page = Page(server)
        for split in ("train", "test"):
            (page.root / "pets" / split).mkdir(parents=True)
        yield page
    finally:
        server.close()


def made(page: Page, role: Role, **more: Any) -> str:
    body = {"name": role, "role": role, **more}
    answer = page.http.post("/api/v1/keys", json=body, headers={"Authorization": f"Bearer {ROOT}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


def test_with_keys(keyed_page: Page):
    page = keyed_page
    assert page.http.get("/ping").json() == {"status": "ok"}
    for method, path in (("GET", "/status"), ("POST", "/start"), ("GET", "/metrics/latest")):
        refused = page.http.request(method, f"/training{path}")
        assert (refused.status_code, list(refused.json())[:1]) == (401, ["error"])
        assert 'Basic realm="trainyard"' in refused.headers["WWW-Authenticate"]
    viewer, trainer = made(page, Role.VIEWER), made(page, Role.TRAINER, projects=["training"])
    other = made(page, Role.TRAINER, projects=["lab"])
    for sent in (
        {"headers": {"Authorization": f"Bearer {viewer}"}},
        {"auth": ("anyone", viewer)},
        {"params": {PARAMETER: viewer}},
    ):
        assert page.call("GET", "/status", **sent) == {"status": "not_running"}
    for key in (viewer, other):
        assert page.call("POST", "/stop", 403, auth=("a", key))["error"]
        body = json.dumps({"config_name": "demo", "model_name": "default",
                           "train_data_dir": "pets/train", "test_data_dir": "pets/test"})  # fmt: skip
        sent = {"content": body, "headers": {"Content-Type": "application/json"}}
        assert page.call("POST", "/start", 403, auth=("a", key), **sent)["error"]
    assert page.call("POST", "/start", auth=("a", trainer), **sent) == {"status": "started"}
    assert page.call("POST", "/stop", params={PARAMETER: trainer}) == {"status": "stopped"}
    page.http.post("/sign-in", data={"key": viewer})
    assert page.call("GET", "/status") == {"status": "stopped"}
    foreign = {"Origin": "http://evil.example"}
    assert page.http.get("/training/status", headers=foreign).status_code == 403


def test_the_data_root_may_lie_elsewhere(redis_url: str, tmp_path: Path):
    for split in ("train", "test"):
        (tmp_path / "volume" / "pets" / split).mkdir(parents=True)
    (tmp_path / "root").symlink_to(tmp_path / "volume")
    server = Server(redis_url, tmp_path, TRAINYARD_DATA_ROOT=str(tmp_path / "root"))
    try:
        server.start()
        page = Page(server)
        [found] = page.call("GET", "/datasets")["datasets"]
        assert found["train_path"] == str((tmp_path / "volume" / "pets" / "train").resolve())
        by_link = {"train_data_dir": str(tmp_path / "root" / "pets" / "train"), "test_data_dir": "pets/test"}
        assert page.start(**by_link) == {"status": "started"}
        taken = httpx.post(f"{server.http.base_url}/api/v1/datasets", json={"name": "n", "path": "pets"})
        assert taken.status_code == 202, taken.text
    finally:
        server.close()
    assert Storage(tmp_path / "storage", tmp_path / "root").data.path("pets/train").is_dir()
