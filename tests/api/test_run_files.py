"""Metrics, log, checkpoints and artifacts."""

import os
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from trainyard.storage.files import RunFolder, Storage
from trainyard.storage.json_files import write_json


@pytest.fixture
def folder(storage: Storage, run_id: str) -> RunFolder:
    return storage.run(run_id)


@pytest.fixture
def url(run_id: str) -> str:
    return f"/api/v1/runs/{run_id}"


def put(path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_metrics_as_json(client: FlaskClient, folder: RunFolder, url: str):
    assert client.get(f"{url}/metrics").json == {"items": []}
    rows = [{"epoch": 1, "val_loss": 0.5, "val_iou/pet": None}, {"epoch": 2, "val_loss": float("nan")}]
    write_json(folder.metrics_json, {"rows": rows})
    response = client.get(f"{url}/metrics")
    assert response.json["items"] == [rows[0], {"epoch": 2, "val_loss": None}]


def test_metrics_as_csv(client: FlaskClient, folder: RunFolder, url: str):
    empty = client.get(f"{url}/metrics?format=csv")
    assert (empty.status_code, empty.mimetype, empty.data) == (200, "text/csv", b"")
    put(folder.metrics_csv, b"epoch,loss\n1,0.5\n")
    for response in (
        client.get(f"{url}/metrics?format=csv"),
        client.get(f"{url}/metrics", headers={"Accept": "text/csv"}),
    ):
        assert response.mimetype == "text/csv"
        assert response.data == b"epoch,loss\n1,0.5\n"
    part = client.get(f"{url}/metrics?format=csv", headers={"Range": "bytes=0-4"})
    assert (part.status_code, part.data) == (206, b"epoch")
    json = client.get(f"{url}/metrics?format=json", headers={"Accept": "text/csv"})
    assert json.is_json
    assert client.get(f"{url}/metrics?format=xml").status_code == 422


def test_the_end_of_the_log(client: FlaskClient, folder: RunFolder, url: str):
    assert client.get(f"{url}/log").data == b""
    lines = [f"line {i} {'x' * 90}\n".encode() for i in range(5000)]
    put(folder.log, b"".join(lines))
    assert client.get(f"{url}/log").data == b"".join(lines[-200:])
    for tail in (1, 3000, 10_000):
        response = client.get(f"{url}/log?tail={tail}")
        assert response.data == b"".join(lines[-tail:])
        assert response.mimetype == "text/plain"


def test_a_log_without_a_last_line_end(client: FlaskClient, folder: RunFolder, url: str):
    put(folder.log, b"one\ntwo\nthree")
    assert client.get(f"{url}/log?tail=2").data == b"two\nthree"
    put(folder.log, "ä\xff".encode("latin-1"))
    assert client.get(f"{url}/log").status_code == 200


@pytest.mark.parametrize("tail", ["0", "10001", "-1", "x", "", "1.5"])
def test_odd_tails(client: FlaskClient, url: str, tail: str):
    response = client.get(f"{url}/log?tail={tail}")
    assert response.status_code == 422
    assert "tail" in response.json["errors"]


@pytest.fixture
def checkpoints(folder: RunFolder) -> None:
    for name, epoch in (("last", 12), ("best", 2), ("epoch=002", 2), ("epoch=012", 12)):
        file = put(folder.checkpoints / f"{name}.ckpt", f"weights of {name}".encode())
        about = {"epoch": epoch, "step": epoch * 5, "val_miou": 0.5, "monitor": "val_dice", "monitored": 0.6}
        about["kind"] = name.split("=")[0]
        write_json(file.with_name(f"{file.name}.json"), about)
    put(folder.checkpoints / ".last.ckpt.abc.tmp")
    put(folder.checkpoints / "last.ckpt.abc.tmp")


def test_checkpoints_are_listed(client: FlaskClient, url: str, checkpoints: None):
    items = client.get(f"{url}/checkpoints").json["items"]
    assert [item["name"] for item in items] == ["best", "last", "2", "12"]
    assert items[0] == {
        "name": "best",
        "file": "best.ckpt",
        "kind": "best",
        "epoch": 2,
        "step": 10,
        "monitor": "val_dice",
        "monitored": 0.6,
        "val_miou": 0.5,
        "bytes": len("weights of best"),
        "url": f"{url}/checkpoints/best",
    }
    assert [client.get(item["url"]).text for item in items] == [
        "weights of best", "weights of last", "weights of epoch=002", "weights of epoch=012",
    ]  # fmt: skip


def test_no_checkpoints_yet(client: FlaskClient, url: str):
    assert client.get(f"{url}/checkpoints").json == {"items": []}
    assert client.get(f"{url}/checkpoints/last").status_code == 404


def test_downloads_are_conditional_and_in_ranges(
    client: FlaskClient, url: str, run_id: str, checkpoints: None
):
    response = client.get(f"{url}/checkpoints/last")
    assert response.headers["Content-Disposition"] == f"attachment; filename={run_id}-last.ckpt"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    etag = response.headers["ETag"]
    assert client.get(f"{url}/checkpoints/last", headers={"If-None-Match": etag}).status_code == 304
    part = client.get(f"{url}/checkpoints/last", headers={"Range": "bytes=3-6", "If-Range": etag})
    assert (part.status_code, part.data) == (206, b"ghts")
    beyond = client.get(f"{url}/checkpoints/last", headers={"Range": "bytes=99-100"})
    assert beyond.status_code == 416
    assert beyond.json["code"] == "requested_range_not_satisfiable"


@pytest.mark.parametrize(
    "name", ["3", "x", "-1", "0", "1e2", "%00", "9" * 400, "²", "last.ckpt", "..", "epoch=002"]
)
def test_unknown_checkpoints(client: FlaskClient, url: str, checkpoints: None, name: str):
    assert client.get(f"{url}/checkpoints/{name}").status_code == 404


def test_artifacts_are_listed_and_downloaded(client: FlaskClient, folder: RunFolder, url: str):
    put(folder.onnx, b"model")
    put(folder.figures / "a b#?ü.png", b"figure")
    for hidden in (".hidden", "figures/.cache/x", "part.tmp"):
        put(folder.path / hidden)
    os.symlink("/etc/hostname", folder.path / "link")
    items = {item["path"]: item for item in client.get(f"{url}/artifacts").json["items"]}
    assert list(items) == [
        "config.json",
        "events.jsonl",
        "export/model.onnx",
        "figures/a b#?ü.png",
        "run.json",
    ]
    assert items["export/model.onnx"]["bytes"] == 5
    assert items["export/model.onnx"]["modified"].endswith("Z")
    assert client.get(items["export/model.onnx"]["url"]).data == b"model"
    figure = client.get(items["figures/a b#?ü.png"]["url"])
    assert figure.data == b"figure"
    assert figure.headers["Content-Disposition"].startswith("attachment")
    for hidden in (".hidden", "figures/.cache/x", "part.tmp", "link", "figures", "export/nothing"):
        assert client.get(f"{url}/artifacts/{hidden}").status_code == 404, hidden


@pytest.mark.parametrize(
    "path",
    ["../../datasets", "..%2f..%2fdatasets", "%2e%2e/run.json", "a/../run.json", "/etc/passwd",
    "%2fetc%2fpasswd",
     "..", "%00", "run.json%00", "x" * 5000, "x/" * 2000 + "y", "..\\run.json", "run.json/", "ü\ud7ff"],
)  # fmt: skip
def test_paths_that_lead_elsewhere(client: FlaskClient, url: str, path: str):
    response = client.get(f"{url}/artifacts/{path}", follow_redirects=True)
    assert response.status_code == 404, response.text
    assert response.json["code"] == "not_found"


def test_an_artifact_behind_a_linked_folder(client: FlaskClient, folder: RunFolder, url: str, tmp_path: Path):
    put(tmp_path / "outside" / "secret.txt", b"secret")
    os.symlink(tmp_path / "outside", folder.path / "inside")
    assert client.get(f"{url}/artifacts/inside/secret.txt").status_code == 404
    assert "inside" not in client.get(f"{url}/artifacts").text


def test_a_broken_file_is_the_servers_fault(client: FlaskClient, folder: RunFolder, url: str):
    folder.metrics_json.write_text("{")
    response = client.get(f"{url}/metrics")
    assert response.status_code == 503
    assert response.json["code"] == "storage_unavailable"


@pytest.mark.parametrize(
    ("name", "mimetype"),
    [
        ("report.html", "text/html"),
        ("figures/a.PNG", "image/png"),
        ("x.json", "text/plain"),
        ("x.svg", "image/svg+xml"),
    ],
)
def test_a_file_is_shown_in_a_sandbox(
    client: FlaskClient, folder: RunFolder, url: str, name: str, mimetype: str
):
    path = folder.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"<script>1</script>")
    shown = client.get(f"{url}/artifacts/{name}?disposition=inline")
    assert shown.mimetype == mimetype
    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert not shown.headers.get("Content-Disposition", "").startswith("attachment")
    saved = client.get(f"{url}/artifacts/{name}")
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert saved.headers["X-Frame-Options"] == "DENY"


def test_a_file_that_is_not_looked_at_is_saved(client: FlaskClient, folder: RunFolder, url: str):
    (folder.path / "model.bin").write_bytes(b"x")
    answer = client.get(f"{url}/artifacts/model.bin?disposition=inline")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert client.get(f"{url}/artifacts/model.bin?disposition=frame").status_code == 422
