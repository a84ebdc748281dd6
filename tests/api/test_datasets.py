"""Upload, list and read data sets."""

import io
import json
import shutil
from dataclasses import asdict

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, archive, upload
from trainyard.datasets.record import IngestOptions
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json

DATASETS = "/api/v1/datasets"


def folders(settings: Settings) -> list[str]:
    root = settings.storage / "datasets"
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def test_an_upload_is_accepted_whole(client: FlaskClient, storage: Storage, notified: list[str]):
    content = archive(files=3)
    response = upload(
        client,
        content,
        project="zoo",
        classes='{"0": "background", "255": "pet"}',
        ignore_value="7",
        val_fraction="0.25",
        seed="3",
    )
    assert response.status_code == 202
    record = response.json
    assert response.headers["Location"] == f"{DATASETS}/{record['id']}"
    assert record["status"] == "queued"
    assert (record["name"], record["project"]) == ("pets", "zoo")
    assert record["upload_bytes"] == len(content)
    sent = {"classes": {"0": "background", "255": "pet"}, "ignore_value": 7, "val_fraction": 0.25, "seed": 3}
    assert record["options"].items() >= sent.items()
    assert record["created_at"].endswith("Z")
    folder = storage.dataset(record["id"])
    assert folder.upload.read_bytes() == content
    assert sorted(path.name for path in folder.path.iterdir()) == ["dataset.json", "upload.zip"]
    assert read_json(folder.record)["status"] == "queued"
    assert notified == ["ingest"]
    assert client.get(response.headers["Location"]).json == record


def test_defaults_of_an_upload(client: FlaskClient):
    record = upload(client).json
    assert record["project"] == "default"
    assert record["options"] == asdict(IngestOptions())


def test_classes_as_a_list(client: FlaskClient):
    classes = json.dumps([{"value": 0, "name": "Hintergrund"}, {"value": 1, "name": "Küche 猫"}])
    record = upload(client, classes=classes).json
    assert record["options"]["classes"] == {"0": "Hintergrund", "1": "Küche 猫"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 101),
        ("name", "a\x00b"),
        ("name", "a\nb"),
        ("name", "\u202eabc"),
        ("project", "a\tb"),
        ("val_fraction", "0"),
        ("val_fraction", "0.91"),
        ("val_fraction", "nan"),
        ("val_fraction", "half"),
        ("val_fraction", "1e999"),
        ("ignore_value", "65536"),
        ("ignore_value", "-1"),
        ("ignore_value", "1.5"),
        ("seed", str(2**32)),
        ("seed", "9" * 5000),
        ("classes", "{"),
        ("classes", "3"),
        ("classes", "{}"),
        ("classes", "[]"),
        ("classes", '{"a": "b"}'),
        ("classes", '{"01": "b"}'),
        ("classes", '{"65536": "b"}'),
        ("classes", '{"0": ""}'),
        ("classes", '{"0": 1}'),
        ("classes", '{"0": "a", "1": "a"}'),
        ("classes", '[{"value": 0, "name": "a"}, {"value": 0, "name": "b"}]'),
        ("classes", '[{"value": true, "name": "a"}]'),
        ("classes", '[{"value": 0}]'),
        ("classes", "[[[[" * 2000),
        ("surprise", "1"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_left(client: FlaskClient, settings: Settings, field, value):
    response = upload(client, **{field: value})
    assert response.status_code == 422, response.text
    assert field in response.json["errors"]
    assert folders(settings) == []
    assert client.get(DATASETS).json["items"] == []


def test_the_ignored_value_is_no_class(client: FlaskClient):
    response = upload(client, classes='{"0": "a", "7": "b"}', ignore_value="7")
    assert response.status_code == 422
    assert "ignore_value" in response.json["errors"]


@pytest.mark.parametrize("content", [b"", b"no archive", archive()[:-30]], ids=["empty", "text", "cut off"])
def test_a_file_that_is_no_archive(client: FlaskClient, settings: Settings, content: bytes):
    response = upload(client, content)
    assert response.status_code == 422
    assert "file" in response.json["errors"]
    assert folders(settings) == []


def test_a_file_is_needed(client: FlaskClient, settings: Settings):
    for data in ({"name": "pets"}, {"name": "pets", "file": "text"}):
        response = client.post(DATASETS, data=data, content_type="multipart/form-data")
        assert response.status_code == 422
        assert "file" in response.json["errors"]
    assert folders(settings) == []


def test_one_file_under_its_name(client: FlaskClient, settings: Settings):
    def file() -> tuple[io.BytesIO, str]:
        return io.BytesIO(archive()), "a.zip"

    for data in ({"name": "pets", "file": [file(), file()]}, {"name": "pets", "other": file()}):
        response = client.post(DATASETS, data=data)
        assert response.status_code == 422
        assert "file" in response.json["errors"]
    assert folders(settings) == []


def test_repeated_fields(client: FlaskClient, settings: Settings):
    data = {"name": ["a", "b"], "file": (io.BytesIO(archive()), "a.zip")}
    response = client.post(DATASETS, data=data)
    assert response.status_code == 422
    assert "name" in response.json["errors"]
    assert folders(settings) == []


def test_too_large_an_upload(client: FlaskClient, settings: Settings):
    response = upload(client, archive(padding=settings.max_upload_bytes + 1))
    assert response.status_code == 413
    assert response.json["code"] == "payload_too_large"
    assert folders(settings) == []


def test_an_announced_length_is_refused_before_the_body(client: FlaskClient, settings: Settings):
    response = client.post(
        DATASETS,
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(10**12), "wsgi.input": io.BytesIO(b"")},
    )
    assert response.status_code == 413
    assert folders(settings) == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nabc", "; boundary=x"),
        (b"nothing of the kind", "; boundary=x"),
        (b"--x--\r\n", ""),
        (b"--x\r\n\r\n\r\n--x--\r\n", "; boundary=x"),
        (b"--x--\r\n", "; boundary=\xff"),
    ],
)
def test_a_broken_form(client: FlaskClient, settings: Settings, body: bytes, content_type: str):
    response = client.post(DATASETS, data=body, content_type=f"multipart/form-data{content_type}")
    assert response.status_code == 400, response.text
    assert response.json["code"] == "bad_request"
    assert folders(settings) == []


def test_file_names_do_not_matter(client: FlaskClient, storage: Storage):
    for name in ("../../etc/passwd", "a\x00b", "ü" * 300):
        data = {"name": "pets", "file": (io.BytesIO(archive()), name)}
        record = client.post(DATASETS, data=data).json
        assert storage.dataset(record["id"]).upload.is_file()


def test_pages_are_newest_first_and_complete(client: FlaskClient, hand: Hand):
    ids = [upload(client, name=f"set {index}").json["id"] for index in range(5)]
    first = client.get(f"{DATASETS}?limit=2").json
    second = client.get(f"{DATASETS}?limit=2&cursor={first['next_cursor']}").json
    third = client.get(f"{DATASETS}?limit=2&cursor={second['next_cursor']}").json
    found = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert found == ids[::-1]
    assert third["next_cursor"] is None


def test_lists_are_filtered(client: FlaskClient, hand: Hand):
    upload(client, project="a")
    upload(client, project="b")
    ready = hand.ingest()
    failed = hand.ingest("failed")

    def listed(query: str) -> list[str]:
        return [item["id"] for item in client.get(f"{DATASETS}?{query}").json["items"]]

    assert listed("status=ready") == [ready]
    assert listed("status=failed&project=b") == [failed]
    assert listed("status=ready&project=b") == []
    assert listed("project=a") == [ready]


def test_a_ready_set_shows_what_is_in_it(client: FlaskClient, dataset_id: str):
    record = client.get(f"{DATASETS}/{dataset_id}").json
    assert record["status"] == "ready"
    assert record["summary"]["splits"] == {"train": 8, "val": 2}
    assert record["summary"]["classes"][1]["color"] == [0, 0, 1]
    assert record["ended_at"] >= record["started_at"] >= record["created_at"]


@pytest.mark.parametrize(
    "query",
    ["limit=abc", "limit=0", "limit=201", "limit=1.5", "limit=", "cursor=xyz", "cursor=-1", "cursor=",
     "cursor=9999999999999999999", "status=nope", "status=", "project=", "project=%00", "what=1",
     "limit=9" + "9" * 5000],
)  # fmt: skip
def test_odd_queries(client: FlaskClient, query: str):
    response = client.get(f"{DATASETS}?{query}")
    assert response.status_code == 422, response.text
    assert query.split("=")[0] in response.json["errors"]


@pytest.mark.parametrize("identifier", ["ds-000000000000", "x", "..", "ds-" + "a" * 500, "%00", "ü", "run-1"])
def test_unknown_ids(client: FlaskClient, identifier: str):
    response = client.get(f"{DATASETS}/{identifier}")
    assert response.status_code == 404
    assert response.json["code"] == "not_found"


def test_the_page_of_a_set_whose_version_is_gone_says_so(
    client: FlaskClient, dataset_id: str, storage: Storage
):
    shutil.rmtree(storage.dataset(dataset_id).prepared)
    page = client.get(f"/datasets/{dataset_id}")
    assert page.status_code == 200
    assert "missing in storage" in page.text
