"""The whole path against the real stack, as a client walks it."""

import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
import safetensors.torch
import torch

from tests.e2e.conftest import Stack
from tests.waits import scaled, wait_for
from workers.training.tasks.segmentation.prediction.class_maps import as_trained
from workers.training.tasks.segmentation.prediction.onnx_file import load_onnx

pytestmark = pytest.mark.timeout(240)


def events_of(stack: Stack, run_id: str, last: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """All events to the run's end, by Server-Sent Events."""
    headers = {"Last-Event-ID": last} if last else {}
    found, event_id = [], ""
    url = f"/api/v1/runs/{run_id}/events"
    with stack.http.stream("GET", url, headers=headers, timeout=scaled(120)) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("id:"):
                event_id = line[3:].strip()
            elif line.startswith("data:"):
                found.append((event_id, json.loads(line[5:])))
    return found


@pytest.fixture(scope="module")
def completed(stack: Stack, dataset: dict[str, Any]) -> dict[str, Any]:
    """A run whose target was raised from 2 to 3 epochs while it trained."""
    run = stack.submit(dataset["id"], epochs=2, checkpoints={"every_epochs": 1})
    stack.wait_run(run["id"], lambda r: r["status"] == "running" and r["progress"] is not None)
    answer = stack.http.patch(f"/api/v1/runs/{run['id']}", json={"epochs": 3})
    assert answer.status_code == 200, answer.text
    assert answer.json()["epochs"] == 3
    return stack.wait_run(run["id"], lambda r: r["status"] == "completed")


def test_ingest_says_what_is_in_the_set(dataset: dict[str, Any]):
    summary = dataset["summary"]
    assert summary["images"] == 40
    assert summary["splits"] == {"train": 32, "val": 8}
    assert [c["name"] for c in summary["classes"]] == ["ground", "disc", "box"]
    assert sum(c["share"] for c in summary["classes"]) == pytest.approx(1)


def test_a_raised_target_is_trained_and_acknowledged(stack: Stack, completed: dict[str, Any]):
    assert completed["epoch"] == 3
    assert completed["step"] == 3 * 8
    rows = stack.http.get(f"/api/v1/runs/{completed['id']}/metrics").json()["items"]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(0 <= row["val_miou"] <= 1 for row in rows)
    assert {"val_iou/disc", "train_loss", "val_loss", "train_dice", "val_dice"} <= rows[0].keys()
    signals = [data for _, data in events_of(stack, completed["id"]) if data["event"] == "signal"]
    assert [(s["signal"], s["value"]) for s in signals] == [("epochs", "3")]
    assert signals[0]["step"] <= 16


def test_the_event_stream_resumes_where_it_was_left(stack: Stack, completed: dict[str, Any]):
    events = events_of(stack, completed["id"])
    ids = [event_id for event_id, _ in events]
    assert len(set(ids)) == len(ids)
    assert events[-1][1]["status"] == "completed"
    middle = len(events) // 2
    assert events_of(stack, completed["id"], last=ids[middle]) == events[middle + 1 :]


def test_onnx_runs_at_another_size(stack: Stack, completed: dict[str, Any], tmp_path):
    assert completed["result"]["export"]["max_difference"] < 1e-3
    answer = stack.http.get(f"/api/v1/runs/{completed['id']}/artifacts/export/model.onnx")
    assert answer.status_code == 200
    (tmp_path / "model.onnx").write_bytes(answer.content)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).normal(size=(2, 3, 96, 128)).astype(np.float32)
    (logits,) = session.run(None, {session.get_inputs()[0].name: image})
    assert logits.shape == (2, 3, 96, 128)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["trainyard.classes"]) == ["ground", "disc", "box"]
    assert len(json.loads(metadata["trainyard.mean"])) == 3


def test_checkpoints_are_listed_and_downloaded_in_ranges(stack: Stack, completed: dict[str, Any], tmp_path):
    base = f"/api/v1/runs/{completed['id']}/checkpoints"
    names = {item["name"] for item in stack.http.get(base).json()["items"]}
    assert names == {"best", "last", "1", "2", "3"}
    whole = stack.http.get(f"{base}/2").content
    (tmp_path / "epoch.ckpt").write_bytes(whole)
    assert "state_dict" in torch.load(tmp_path / "epoch.ckpt", weights_only=True)
    part = stack.http.get(f"{base}/2", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == whole[10:20]
    assert stack.http.get(f"{base}/9").status_code == 404


def test_logs_and_artifacts_are_there(stack: Stack, completed: dict[str, Any]):
    base = f"/api/v1/runs/{completed['id']}"
    assert stack.http.get(f"{base}/log").text.strip()
    csv = stack.http.get(f"{base}/metrics", params={"format": "csv"})
    assert csv.text.splitlines()[0].count(",") > 5
    assert len(csv.text.splitlines()) == 1 + 3
    paths = {item["path"] for item in stack.http.get(f"{base}/artifacts").json()["items"]}
    assert {"config.json", "run.json", "metrics.csv", "figures/overlay.png", "export/model.onnx"} <= paths
    assert any(path.startswith("tensorboard/events") for path in paths)
    assert not any(path.endswith(".onnx.data") or ".tmp" in path for path in paths)


def test_runs_are_listed_by_status(stack: Stack, completed: dict[str, Any]):
    page = stack.http.get("/api/v1/runs", params={"status": "completed", "limit": 1}).json()
    assert [run["id"] for run in page["items"]] == [completed["id"]]


def test_stop_now_keeps_a_usable_checkpoint(stack: Stack, dataset: dict[str, Any], tmp_path):
    run = stack.submit(dataset["id"], epochs=500)
    stack.wait_run(run["id"], lambda r: r["epoch"] >= 1)
    assert stack.http.post(f"/api/v1/runs/{run['id']}/stop").status_code == 200
    stopped = stack.wait_run(run["id"], lambda r: r["status"] == "stopped", seconds=30)
    (tmp_path / "last.ckpt").write_bytes(stack.http.get(f"/api/v1/runs/{run['id']}/checkpoints/last").content)
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == stopped["step"]
    signals = [data for _, data in events_of(stack, run["id"]) if data["event"] == "signal"]
    assert [(s["signal"], s["value"], s["step"]) for s in signals] == [("stop", "now", stopped["step"])]
    assert stack.http.post(f"/api/v1/runs/{run['id']}/stop").status_code == 200, "a stop is idempotent"


def test_stop_at_the_end_of_the_epoch(stack: Stack, dataset: dict[str, Any]):
    run = stack.submit(dataset["id"], epochs=500)
    stack.wait_run(run["id"], lambda r: r["epoch"] >= 1)
    stack.http.post(f"/api/v1/runs/{run['id']}/stop", json={"when": "epoch"})
    stopped = stack.wait_run(run["id"], lambda r: r["status"] == "stopped", seconds=30)
    assert stopped["step"] == stopped["epoch"] * 8


def test_a_lowered_target_ends_after_the_present_epoch(stack: Stack, dataset: dict[str, Any]):
    run = stack.submit(dataset["id"], epochs=500, export={"onnx": False})
    stack.wait_run(run["id"], lambda r: r["epoch"] >= 2)
    stack.http.patch(f"/api/v1/runs/{run['id']}", json={"epochs": 1})
    ended = stack.wait_run(run["id"], lambda r: r["status"] == "completed")
    assert ended["step"] == ended["epoch"] * 8
    assert stack.http.patch(f"/api/v1/runs/{run['id']}", json={"epochs": 9}).status_code == 409


def test_a_failed_run_says_why(stack: Stack, dataset: dict[str, Any]):
    """The name is known, but the hub is out of reach or has no such weights."""
    run = stack.submit(
        dataset["id"],
        epochs=1,
        model={"architecture": "Unet", "encoder": "resnet18", "encoder_weights": "imagenet"},
    )
    ended = wait_for(
        lambda: stack.run(run["id"]), lambda r: r["status"] in ("failed", "completed"), seconds=60
    )
    if ended["status"] == "completed":
        pytest.skip("the weights could be fetched here")
    assert ended["error"]["code"] == "weights_unavailable"
    assert ended["error"]["cause"] == "user"
    assert ended["error"]["remedy"]


def test_a_bad_upload_names_its_files(stack: Stack, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"images/{name}.jpg", b"no picture")
            archive.writestr(f"masks/{name}.png", b"no mask")
    failed = stack.upload(tmp_path / "bad.zip", name="bad", project="made")
    assert failed["status"] == "failed"
    named = {file for problem in failed["problems"] for file in (problem["file"], *problem["examples"])}
    assert {"images/a.jpg", "images/b.jpg"} <= named
    answer = stack.http.post("/api/v1/runs", json={"dataset_id": failed["id"]})
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"


def test_flower_shows_the_workers_and_a_training_task(stack: Stack, dataset: dict[str, Any]):
    run = stack.submit(dataset["id"], epochs=500)
    stack.wait_run(run["id"], lambda r: r["progress"] is not None and r["progress"]["stage"] == "train")

    def tasks() -> list[tuple[str, str]]:
        table = stack.http.post(
            f"{stack.flower}/tasks/datatable",
            data={"draw": 1, "start": 0, "length": 100, "search[value]": "", "order[0][column]": 0,
                  "columns[0][data]": "name", "order[0][dir]": "asc"},
        )  # fmt: skip
        return [(task["name"], task["state"]) for task in table.json()["data"]]

    wait_for(tasks, lambda found: ("trainyard.train_run", "STARTED") in found)
    page = stack.http.get(f"{stack.flower}/workers").text
    assert "train-" in page
    assert "ingest-" in page
    workers = stack.http.get("/api/v1/workers").json()["items"]
    (training,) = [worker for worker in workers if worker["holds"] == run["id"]]
    assert training["id"] == stack.run(run["id"])["owner"]
    assert [worker["queues"] for worker in workers if worker != training] == [["ingest", "predict"]]
    stack.http.post(f"/api/v1/runs/{run['id']}/stop")
    stack.wait_run(run["id"], lambda r: r["status"] == "stopped", seconds=30)


@pytest.mark.thorough
def test_a_fork_begins_with_a_checkpoint_is_resumed_and_cancelled(stack: Stack, completed: dict[str, Any]):
    body = {"checkpoint": "2", "spec": {"epochs": 1, "export": {"onnx": False}}}
    fork = stack.http.post(f"/api/v1/runs/{completed['id']}/fork", json=body).json()
    url = f"/api/v1/runs/{fork['id']}"
    ended = stack.wait_run(fork["id"], lambda r: r["status"] == "completed")
    origin = ended["forked_from"]
    assert (origin["run_id"], origin["checkpoint"], origin["skipped"]) == (completed["id"], "2", [])
    assert origin["loaded_layers"] == origin["total_layers"] > 10
    assert (ended["epoch"], ended["step"]) == (1, 8), "it counts from its own beginning"

    assert stack.http.post(f"{url}/resume", json={"epochs": 500}).status_code == 200
    resumed = stack.wait_run(fork["id"], lambda r: r["epoch"] >= 2)
    assert resumed["fence"] == ended["fence"] + 1 == 3, "one trained it, one wrote its results"
    rows = stack.http.get(f"{url}/metrics").json()["items"]
    assert [(row["epoch"], row["step"]) for row in rows[:2]] == [(1, 8), (2, 16)]

    assert stack.http.post(f"{url}/cancel").status_code == 200
    stack.wait_run(fork["id"], lambda r: r["status"] == "cancelled", seconds=30)
    left = {item["path"] for item in stack.http.get(f"{url}/artifacts").json()["items"]}
    assert left == {"run.json", "config.json", "events.jsonl", "logs/training.log"}
    assert stack.http.delete(url).status_code == 204
    assert not (stack.storage / "runs" / fork["id"]).exists()


def test_a_trained_model_answers_for_an_image(
    stack: Stack, completed: dict[str, Any], synthetic_zip: Path, tmp_path: Path
):
    """Registered, and asked of a real worker: as the file itself answers, whose run may be gone by then."""
    made = stack.http.post("/api/v1/trained-models", json={"run_id": completed["id"], "name": "shapes"})
    assert made.status_code == 201, made.text
    model = made.json()
    with zipfile.ZipFile(synthetic_zip) as archive:
        image = archive.read("images/0000.png")
    url = f"/api/v1/trained-models/{model['id']}/predict"
    answer = stack.http.post(url, files={"image": ("0.png", image)})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png"), answer.text
    found = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
    (tmp_path / "model.onnx").write_bytes(stack.http.get(model["files"][0]["url"]).content)
    pixels = cv2.cvtColor(cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.array_equal(found, as_trained(load_onnx(tmp_path / "model.onnx", 1), pixels))
    told = stack.http.post(url, files={"image": ("0.png", image)}, data={"form": "json"}).json()
    assert [one["pixels"] for one in told["images"][0]["classes"]] == np.bincount(
        found.ravel(), minlength=3
    ).tolist()
    refused = stack.http.post(url, files={"image": ("x.png", b"no picture")})
    assert (refused.status_code, refused.json()["cause"]) == (422, "user")


@pytest.mark.thorough
def test_a_drained_worker_ends_its_run_and_takes_none_until_it_may(stack: Stack, dataset: dict[str, Any]):
    def workers() -> list[dict[str, Any]]:
        items = stack.http.get("/api/v1/workers").json()["items"]
        return [one for one in items if "ingest" not in one["queues"]]

    running = stack.submit(dataset["id"], epochs=2, export={"onnx": False})
    stack.wait_run(running["id"], lambda run: run["status"] == "running")
    ids = [worker["id"] for worker in workers()]
    for worker_id in ids:
        assert stack.http.post(f"/api/v1/workers/{worker_id}/drain").status_code == 202
    wait_for(lambda: workers(), lambda found: all(one["is_drained"] for one in found if one["id"] in ids))
    waiting = stack.submit(dataset["id"], epochs=1, export={"onnx": False})
    ended = stack.wait_run(running["id"], lambda run: run["status"] in ("finishing", "completed"))
    assert [one["attempt"] for one in ended["attempts"] if not one["finishing"]] == [1], (
        "it was not given back"
    )
    held = stack.http.get(f"/api/v1/runs/{waiting['id']}").json()
    assert (held["status"], held["waiting"]["reason"]["code"]) == ("queued", "no_worker")
    for worker_id in ids:
        stack.http.delete(f"/api/v1/workers/{worker_id}/drain")
    stack.wait_run(waiting["id"], lambda run: run["status"] == "completed")


def test_weights_alone_are_those_of_the_checkpoint(stack: Stack, completed: dict[str, Any], tmp_path: Path):
    url = f"/api/v1/runs/{completed['id']}/checkpoints/best"
    whole, alone = (stack.http.get(url, params=query) for query in ({}, {"form": "weights"}))
    assert alone.status_code == 200, alone.text
    assert len(alone.content) < 0.4 * len(whole.content)
    (tmp_path / "best.ckpt").write_bytes(whole.content)
    state = torch.load(tmp_path / "best.ckpt", weights_only=True)["state_dict"]
    tensors = safetensors.torch.load(alone.content)
    assert {f"network.{name}" for name in tensors} == set(state)
    assert all(torch.equal(tensor, state[f"network.{name}"]) for name, tensor in tensors.items())
