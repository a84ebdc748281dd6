"""What a client reads of a set whose ingest crashed."""

import io
import threading
import time
import zipfile

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.api.conftest import Hand, upload
from trainyard.lease import LeaseRules, Ownership
from trainyard.storage.files import Storage
from workers.datasets.supervisor import IngestSupervisor


def pictures(count: int) -> bytes:
    """A zip of so many images with their masks."""
    numbers = np.random.default_rng(7)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for place in range(count):
            image = numbers.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            for folder, array in (("images", image), ("masks", image[..., 0] // 128)):
                encoded = io.BytesIO()
                Image.fromarray(array).save(encoded, "PNG")
                made.writestr(f"{folder}/{place}.png", encoded.getvalue())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("count", "told"),
    [
        pytest.param(6, ", while images/3.png and its mask were read.", id="at a file"),
        pytest.param(3, ".", id="at no file"),
    ],
)
def test_it_names_the_file_that_was_read(
    client: FlaskClient,
    hand: Hand,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    told: str,
) -> None:
    monkeypatch.setattr("workers.datasets.supervisor.INGEST_CHILD", "tests.api.crashing_ingest_child")
    dataset_id = upload(client, pictures(count)).json["id"]  # type: ignore[index]
    for _ in range(LeaseRules().max_crashes):
        held = hand.datasets.claim("ingest", "worker")
        assert held
        owned = Ownership(LeaseRules(), time.monotonic())
        IngestSupervisor(hand.datasets, storage, threading.Event(), held, owned).supervise()
    record = client.get(f"/api/v1/datasets/{dataset_id}").json
    assert record["status"] == "failed"
    assert record["error"]["message"] == f"The ingest process ended with exit code -9 and no result{told}"
