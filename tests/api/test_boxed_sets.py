"""Data sets whose images have boxes, over the API."""

import io
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from PIL import Image

from tests.api import boxed, prepared
from tests.api.conftest import Hand, submit, upload
from trainyard.storage.files import Storage
from trainyard_client.client import Client
from trainyard_client.command.datasets import dataset as datasets
from trainyard_client.command.terminal.session import Session
from trainyard_client.transport import Transport


@pytest.fixture
def dataset(client: FlaskClient, hand: Hand, storage: Storage) -> str:
    """The id of a set that is ready."""
    assert upload(client, box_form="xyxy").status_code == 202
    dataset_id = hand.ingest(**boxed.summary())
    boxed.write(storage.dataset(dataset_id).version(boxed.HASH))
    return dataset_id


def picture(client: FlaskClient, dataset: str, index: int, layer: str = "overlay") -> Image.Image:
    answer = client.get(f"/api/v1/datasets/{dataset}/samples/{index}.png?layer={layer}")
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.data)).convert("RGB")


def test_the_record_counts_objects(client: FlaskClient, dataset: str) -> None:
    record: Any = client.get(f"/api/v1/datasets/{dataset}").json
    summary = record["summary"]
    assert summary["kinds"] == ["boxes"]
    assert (summary["objects"]["count"], summary["objects"]["crowds"]) == (3, 1)
    assert [one["name"] for one in summary["objects"]["classes"]] == ["cat", "dog"]
    assert record["options"]["box_form"] == "xyxy"


def test_the_command_counts_objects(
    client: FlaskClient, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = Transport("http://127.0.0.1", handler=httpx.WSGITransport(app=client.application))
    monkeypatch.setattr(Session, "client", Client(transport=transport))
    shown = CliRunner().invoke(datasets, ["show", dataset], env={"COLUMNS": "200"}).output
    assert "3 in 2 images, at most 2 in one, 1 crowds" in shown
    assert "0 small, 0 medium, 3 large" in shown
    assert "share of objects" in shown


def test_samples_tell_their_objects(client: FlaskClient, dataset: str) -> None:
    answer: Any = client.get(f"/api/v1/datasets/{dataset}/samples").json
    two, crowd, none = answer["items"]
    assert two["objects"] == [
        {"index": 0, "name": "cat", "color": [230, 80, 60], "box": boxed.BOXES[0], "crowd": False},
        {"index": 1, "name": "dog", "color": [60, 140, 230], "box": boxed.BOXES[1], "crowd": False},
    ]
    assert [one["crowd"] for one in crowd["objects"]] == [False, True]
    assert none["objects"] == []
    assert [item["classes"] for item in answer["items"]] == [["cat", "dog"], ["cat", "dog"], []]
    dogs: Any = client.get(f"/api/v1/datasets/{dataset}/samples?class=dog").json
    assert [item["name"] for item in dogs["items"]] == ["two", "crowd"]


def test_samples_of_masks_have_no_objects(client: FlaskClient, hand: Hand, storage: Storage) -> None:
    assert upload(client).status_code == 202
    dataset_id = hand.ingest(**prepared.summary())
    prepared.write(storage.dataset(dataset_id).version(prepared.HASH))
    answer: Any = client.get(f"/api/v1/datasets/{dataset_id}/samples").json
    assert {item["objects"] for item in answer["items"]} == {None}
    refused = client.get(f"/api/v1/datasets/{dataset_id}/samples/0.png?layer=boxes")
    assert refused.status_code == 422
    assert "layer" in refused.json["errors"]  # type: ignore[index]


@pytest.mark.parametrize("layer", ["overlay", "boxes"])
def test_boxes_are_drawn_with_the_colours_and_names_of_their_classes(
    client: FlaskClient, dataset: str, layer: str
) -> None:
    """Where the picture is as large as the image: edges, a name above each, and the image within."""
    shown = picture(client, dataset, 0, layer)
    for (left, top, right, bottom), info in zip(boxed.BOXES, boxed.CLASSES, strict=True):
        middle = round((left + right) / 2), round((top + bottom) / 2)
        assert shown.getpixel(middle) == (boxed.GREY,) * 3
        for edge in (
            (left, middle[1]),
            (int(right) - 1, middle[1]),
            (middle[0], top),
            (middle[0], bottom - 1),
        ):
            assert shown.getpixel((round(edge[0]), round(edge[1]))) == info.color, edge
        assert shown.getpixel((round(left) + 1, round(top) - 2)) == info.color
    assert shown.getpixel((5, 5)) == (boxed.GREY,) * 3


def test_a_crowd_has_dashes(client: FlaskClient, dataset: str) -> None:
    shown = picture(client, dataset, 1)
    left, top, right, _ = boxed.BOXES[1]
    edge = {shown.getpixel((x, round(top))) for x in range(round(left), round(right))}
    assert edge == {boxed.CLASSES[1].color, (boxed.GREY,) * 3}


def test_the_image_alone_and_no_mask(client: FlaskClient, dataset: str) -> None:
    assert {color for _, color in picture(client, dataset, 0, "image").getcolors() or []} == {
        (boxed.GREY,) * 3
    }
    refused = client.get(f"/api/v1/datasets/{dataset}/samples/0.png?layer=mask")
    assert refused.status_code == 422


@pytest.mark.parametrize("task", ["segmentation", "classification"])
def test_other_tasks_cannot_be_trained_on_boxes(client: FlaskClient, dataset: str, task: str) -> None:
    answer = submit(client, dataset, spec={"task": task})
    assert answer.status_code == 422
    assert "detection" in str(answer.json["errors"]["spec"]["task"])  # type: ignore[index]


def test_boxes_are_trained_and_outlines_are_not(client: FlaskClient, dataset: str) -> None:
    answer = submit(client, dataset, spec={"task": "detection"})
    assert answer.status_code == 201
    assert answer.json["spec"]["model"]["task"] == "detection"  # type: ignore[index]
    instances = {"architecture": "MaskRCNN", "task": "instance_segmentation"}
    refused = submit(client, dataset, spec={"task": "detection", "model": instances})
    assert refused.status_code == 422
    assert "detection" in str(refused.json["errors"]["spec"]["model"]["task"])  # type: ignore[index]


def test_lost_objects_are_the_storages_fault(client: FlaskClient, dataset: str, storage: Storage) -> None:
    (storage.dataset(dataset).version(boxed.HASH) / "objects.bin").unlink()
    assert client.get(f"/api/v1/datasets/{dataset}/samples").status_code == 503
