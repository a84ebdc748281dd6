"""Data sets whose images have labels, over the API."""

import io
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.api import prepared
from tests.api.conftest import SUMMARY, Hand, submit, upload
from trainyard.storage.files import Storage
from workers.prepared.version import PreparedClass, PreparedWriter

CLASSES = [
    PreparedClass(index=index, name=name, value=index, color=color)
    for index, (name, color) in enumerate({"cat": (230, 80, 60), "dog": (60, 140, 230)}.items())
]


@pytest.fixture
def labelled(client: FlaskClient, hand: Hand, storage: Storage) -> str:
    """The id of a set that is ready."""
    assert upload(client, label_depth="1").status_code == 202
    summary = {**SUMMARY, "content_hash": prepared.HASH, "images": 4, "kinds": ("labels",)}
    dataset_id = hand.ingest(**summary)
    folder = storage.dataset(dataset_id).version(prepared.HASH)
    with PreparedWriter(folder, ("labels",)) as writer:
        for place in range(4):
            pixels = np.full((30, 40, 3), 60 * place, np.uint8)
            writer.append_labelled(f"s{place}", pixels, [place % 2])
        writer.finish(
            {f"s{place}": "train" if place < 2 else "val" for place in range(4)},
            CLASSES,
            (0.5, 0.5, 0.5),
            (0.2, 0.2, 0.2),
            prepared.HASH,
        )
    return dataset_id


def test_samples_tell_their_labels(client: FlaskClient, labelled: str) -> None:
    answer: Any = client.get(f"/api/v1/datasets/{labelled}/samples?class=dog").json
    assert [(item["name"], item["classes"]) for item in answer["items"]] == [("s1", ["dog"]), ("s3", ["dog"])]
    record: Any = client.get(f"/api/v1/datasets/{labelled}").json
    assert record["summary"]["kinds"] == ["labels"]
    assert record["options"]["label_depth"] == 1


def test_pictures_have_a_legend_and_no_mask(client: FlaskClient, labelled: str) -> None:
    answer = client.get(f"/api/v1/datasets/{labelled}/samples/1.png")
    picture = Image.open(io.BytesIO(answer.data)).convert("RGB")
    assert CLASSES[1].color in {color for _, color in picture.getcolors(1 << 16) or []}
    assert picture.getpixel((picture.width // 2, 5)) == (60, 60, 60)
    refused = client.get(f"/api/v1/datasets/{labelled}/samples/1.png?layer=mask")
    assert refused.status_code == 422
    assert "layer" in refused.json["errors"]  # type: ignore[index]


def test_a_task_of_masks_cannot_be_trained_on_labels(client: FlaskClient, labelled: str) -> None:
    answer = submit(client, labelled, spec={"task": "segmentation"})
    assert answer.status_code == 422
    assert answer.json["errors"]["spec"]["task"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label_depth", "0"),
        ("label_depth", "x"),
        ("labels", "two"),
        ("label_columns", "[]"),
        ("label_columns", '["a", "a"]'),
        ("label_columns", "[1]"),
        ("label_separator", "123456789"),
    ],
)
def test_wrong_options_are_named(client: FlaskClient, field: str, value: str) -> None:
    answer = upload(client, **{field: value})
    assert answer.status_code == 422
    assert field in answer.json["errors"]  # type: ignore[index]


@pytest.mark.parametrize("sent", ["species", '["species"]'])
def test_columns_are_named_alone_or_as_a_list(client: FlaskClient, sent: str) -> None:
    answer = upload(client, label_columns=sent)
    assert answer.status_code == 202
    assert answer.json["options"]["label_columns"] == ["species"]  # type: ignore[index]
