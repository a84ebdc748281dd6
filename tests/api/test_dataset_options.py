"""What may be said of an upload, and what may be uploaded."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import archive, upload
from trainyard.settings import Settings
from trainyard.storage.files import Storage

DATASETS = "/api/v1/datasets"
OPTIONS: dict[str, Any] = {
    "format": "coco",
    "classes": {"0": "a", "1": "b"},
    "colors": {"#FF8000": 1, "#000000": 0},
    "ignore_value": 9,
    "label_map": {"255": 1, "7": None},
    "order": "file",
    "crowd": "label",
    "max_side": 1024,
    "splits": {"train": ["a", "b.png"], "val": ["c"]},
    "folds": 5,
    "val_fraction": 0.3,
    "seed": 4,
    "max_images_per_class": {"a": 100},
    "names_encoding": "shift_jis",
    "objects": "one_class",
    "several_masks": "union",
    "pair_numbers": "in_order",
    "copies": "last",
    "unmasked": "background",
    "flat_images": "use",
    "mask_size": "resample",
    "class_folders": "ignore",
    "on_question": "assume",
    "splits_from": "lists",
    "split_lists": "run0/*.txt",
    "label_depth": 2,
    "label_columns": ["breed", "age"],
    "label_separator": " ",
    "labels": "several",
    "box_form": "xyxy",
}


NO_PATTERNS = dict.fromkeys(("images", "masks", "class_masks"))
PATTERNS: dict[str, Any] = {"images": "scans/*.png", "class_masks": {"left lung": "left/*", "Herz": "h?/*"}}


def tar(compression: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as made:
        made.addfile(tarfile.TarInfo("images/0.png"))
    return buffer.getvalue()


def folders(settings: Settings) -> list[str]:
    root = settings.storage / "datasets"
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


@pytest.fixture
def incoming(settings: Settings) -> Path:
    """The folder of what lies in storage already, with an archive, a folder and links out of it."""
    folder = settings.storage / "incoming"
    (folder / "scans" / "images").mkdir(parents=True)
    (folder / "set.zip").write_bytes(archive())
    (folder / "link").symlink_to(settings.storage)
    (folder / "scans" / "inner").symlink_to(folder / "set.zip")
    (settings.storage / "secret.zip").write_bytes(archive())
    return folder


def register(client: FlaskClient, path: Any, **fields: Any) -> TestResponse:
    return client.post(DATASETS, json={"name": "pets", "path": path, **fields})


def test_every_option_is_taken_from_a_form(client: FlaskClient):
    sent = {name: value if isinstance(value, str) else json.dumps(value) for name, value in OPTIONS.items()}
    record = upload(client, **sent).json
    assert record["options"] == {**NO_PATTERNS, **OPTIONS, "colors": {"#ff8000": 1, "#000000": 0}}


def test_patterns_are_taken_from_a_form_and_from_json(client: FlaskClient, incoming: Path):
    masks = json.dumps(PATTERNS["class_masks"])
    record = upload(client, images=PATTERNS["images"], class_masks=masks).json
    assert PATTERNS.items() <= record["options"].items()
    assert register(client, "scans", **PATTERNS).json["options"]["class_masks"] == PATTERNS["class_masks"]
    assert register(client, "scans", masks="m/*").json["options"]["masks"] == "m/*"


def test_patterns_fit_the_other_options(client: FlaskClient, incoming: Path):
    for pattern in ({"images": "i/*"}, {"masks": "m/*"}, {"images": "**/i/*.png", "masks": "data/m"}):
        assert register(client, "scans", format="coco", **pattern).status_code == 202
    response = register(client, "scans", format="coco", class_masks={"lung": "left/*"})
    assert response.status_code == 422
    assert "pictures" in str(response.json["errors"]["class_masks"])
    response = register(client, "scans", masks="m/*", **PATTERNS)
    assert response.status_code == 422
    assert "not both" in str(response.json["errors"]["class_masks"])
    assert register(client, "scans", format="pictures", masks="m/*").status_code == 202


def test_every_option_is_taken_from_json(client: FlaskClient, incoming: Path):
    response = register(client, "scans", **OPTIONS)
    assert response.status_code == 202, response.text
    assert response.json["options"] == {**NO_PATTERNS, **OPTIONS, "colors": {"#ff8000": 1, "#000000": 0}}
    assert response.json["path"] == "scans"


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("format", "tiff", "coco"),
        ("order", "size", "area"),
        ("crowd", "keep", "ignore"),
        ("colors", '{"red": 1}', "#rrggbb"),
        ("colors", '{"#ff0000": 255}', "0 to 254"),
        ("colors", '{"#ff0000": "1"}', "0 to 254"),
        ("colors", '{"#ff0000": 1, "#FF0000": 2}', "twice"),
        ("colors", "{}", "by colour"),
        ("label_map", '{"a": 1}', "0 to 65535"),
        ("label_map", '{"1": "2"}', "null"),
        ("label_map", '{"1": true}', "null"),
        ("label_map", "[1]", "by mask value"),
        ("splits", '{"dev": ["a"]}', "train, val, test"),
        ("splits", '{"train": "a"}', "list"),
        ("splits", '{"train": [1]}', "list"),
        ("folds", "1", "2"),
        ("folds", "2.5", ""),
        ("folds", "101", "100"),
        ("max_side", "8", "16"),
        ("max_images_per_class", "0", "1"),
        ("max_images_per_class", "1.5", "1"),
        ("max_images_per_class", '{"cat": 0}', "1"),
        ("max_images_per_class", "{}", "names of classes"),
        ("val_fraction", "1", "0.9"),
        ("images", "", "1 to 200"),
        ("masks", "x" * 201, "1 to 200"),
        ("masks", "../*", "within the upload"),
        ("images", "/etc/*", "within the upload"),
        ("class_masks", "{}", "by class name"),
        ("class_masks", '{"a": 1}', "1 to 200"),
        ("names_encoding", "klingon", "shift_jis"),
        ("names_encoding", "", "cp437"),
        ("names_encoding", "base64", "gbk"),
        ("names_encoding", "rot13", "cp1251"),
        ("names_encoding", "utf-16", "utf_8"),
        ("names_encoding", "idna", "euc_kr"),
        ("names_encoding", "a\x00b", "big5"),
        ("names_encoding", "x" * 5000, "cp866"),
    ],
)
def test_an_odd_option_is_named_with_what_is_accepted(client: FlaskClient, settings, field, value, accepted):
    response = upload(client, **{field: value})
    assert response.status_code == 422, response.text
    assert accepted in str(response.json["errors"][field])
    assert folders(settings) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("Shift-JIS", "shift_jis"), ("windows-1251", "cp1251"), ("GBK", "gbk"), ("latin1", "latin_1"),
     ("UTF-8", "utf_8"), ("IBM437", "cp437"), ("EUC-KR", "euc_kr")],
)  # fmt: skip
def test_an_encoding_has_many_names(client: FlaskClient, incoming: Path, sent: str, kept: str):
    assert upload(client, names_encoding=sent).json["options"]["names_encoding"] == kept
    assert register(client, "scans", names_encoding=sent).json["options"]["names_encoding"] == kept


@pytest.mark.parametrize("value", [2.0, True, "x", None, [2]])
def test_json_takes_whole_numbers_only(client: FlaskClient, incoming: Path, value: Any):
    response = register(client, "scans", folds=value)
    assert response.status_code == 422, response.text
    assert "folds" in response.json["errors"]


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_a_tar_is_kept_as_it_came(client: FlaskClient, storage: Storage, compression: str):
    content = tar(compression)
    record = upload(client, content).json
    assert storage.dataset(record["id"]).upload.read_bytes() == content


def test_an_annotation_is_kept_beside_the_archive(client: FlaskClient, storage: Storage):
    data = {
        "name": "pets",
        "file": (io.BytesIO(archive()), "images.zip"),
        "annotation": (io.BytesIO(b'{"images": []}'), "../../instances \x00.json"),
    }
    record = client.post(DATASETS, data=data).json
    folder = storage.dataset(record["id"])
    assert folder.annotation.read_bytes() == b'{"images": []}'
    assert folder.upload.read_bytes() == archive()
    assert record["annotation_name"].endswith(".json")
    assert record["annotation_name"].isprintable()
    assert record["upload_bytes"] == len(archive()) + 14
    assert sorted(path.name for path in folder.path.iterdir()) == ["annotation", "dataset.json", "upload.zip"]


def test_a_form_with_an_empty_annotation_field_has_none(client: FlaskClient, storage: Storage):
    data = {"name": "pets", "file": (io.BytesIO(archive()), "a.zip"), "annotation": (io.BytesIO(), "")}
    response = client.post(DATASETS, data=data)
    assert response.status_code == 202, response.text
    assert response.json["annotation_name"] is None
    assert not storage.dataset(response.json["id"]).annotation.exists()


def test_an_annotation_alone_is_not_enough(client: FlaskClient, settings: Settings):
    data = {"name": "pets", "annotation": (io.BytesIO(b"{}"), "a.json")}
    response = client.post(DATASETS, data=data)
    assert response.status_code == 422
    assert {"file", "path"} == response.json["errors"].keys()
    assert folders(settings) == []


def test_both_files_count_for_the_limit(client: FlaskClient, settings: Settings):
    half = settings.max_upload_bytes // 2
    data = {
        "name": "pets",
        "file": (io.BytesIO(archive(padding=half)), "a.zip"),
        "annotation": (io.BytesIO(b" " * (half + 1)), "a.json"),
    }
    assert client.post(DATASETS, data=data).status_code == 413
    assert folders(settings) == []


@pytest.mark.parametrize("path", ["set.zip", "scans", "scans/", "scans/images"])
def test_what_lies_in_storage_is_not_copied(
    client: FlaskClient, storage: Storage, incoming: Path, notified: list[str], path: str
):
    response = register(client, path)
    assert response.status_code == 202, response.text
    folder = storage.dataset(response.json["id"])
    assert [file.name for file in folder.path.iterdir()] == ["dataset.json"]
    assert response.json["upload_bytes"] == 0
    assert notified == ["ingest"]


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../secret.zip", "scans/../set.zip", "/etc", "link", "link/secret.zip", "scans/inner",
     "nothing", "a\x00b", "x" * 900, "scans//images", "./scans", "x" * 2000, 3, None],
)  # fmt: skip
def test_no_other_path_is_taken(client: FlaskClient, settings: Settings, incoming: Path, path: Any):
    response = register(client, path)
    assert response.status_code == 422, response.text
    assert "path" in response.json["errors"]
    assert folders(settings) == []


def test_an_unknown_path_lists_what_is_there(client: FlaskClient, incoming: Path):
    assert "link, scans, set.zip" in str(register(client, "nothing").json["errors"]["path"])


def test_a_file_or_a_path(client: FlaskClient, settings: Settings, incoming: Path):
    for response in (upload(client, path="set.zip"), client.post(DATASETS, json={"name": "pets"})):
        assert response.status_code == 422
        assert "path" in response.json["errors"]
    assert folders(settings) == []


@pytest.mark.parametrize("body", [[1], "text", {"name": "a", "path": "scans", "surprise": 1}])
def test_odd_bodies(client: FlaskClient, incoming: Path, body: Any):
    assert client.post(DATASETS, json=body).status_code == 422


def test_an_upload_can_be_followed_by_its_request_id(client: FlaskClient):
    data = {"name": "pets", "file": (io.BytesIO(archive(padding=5000)), "a.zip")}
    assert client.post(DATASETS, data=data, headers={"X-Request-ID": "mine-1"}).status_code == 202
    progress = client.get(f"{DATASETS}/uploads/mine-1").json
    assert 0 < progress["received"] <= len(archive(padding=5000)) < progress["total"]
    assert client.get(f"{DATASETS}/uploads/other").status_code == 404
