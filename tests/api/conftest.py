"""The application on a real Redis, and a hand that plays the worker."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.composition import compose
from tests.api.server import Server
from tests.api.summary import SUMMARY, write_played
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.store.connection import Client, connect

ROOT = "the first admin's key"


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    return Settings(
        redis_url=redis_url,
        storage=tmp_path / "storage",
        max_upload_bytes=200_000,
        device_classes=("cpu",),
    )


@pytest.fixture
def keyed(settings: Settings, redis_client: Client) -> Flask:
    """The application, for which keys are needed; ROOT is the first."""
    guarded = replace(settings, api_key_hashes=(hashlib.sha256(ROOT.encode()).hexdigest(),))
    return create_app(guarded, compose(guarded, redis_client, lambda queue: True))


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage)


@pytest.fixture
def redis_client(settings: Settings) -> Iterator[Client]:
    client = connect(settings.redis_url)
    yield client
    client.close()


@pytest.fixture
def notified() -> list[str]:
    """The queues that were notified."""
    return []


@pytest.fixture
def app(settings: Settings, redis_client: Client, notified: list[str]) -> Iterator[Flask]:
    def notify(queue: str) -> bool:
        notified.append(queue)
        return True

    services = compose(settings, redis_client, notify)
    yield create_app(settings, services)
    services.shutdown.when(lambda: True)
    services.feed_sockets.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


class Hand:
    """Does to records what a worker would do."""

    def __init__(self, client: Client, storage: Storage) -> None:
        self.runs = RunRegistry(client, storage)
        self.datasets = DatasetRegistry(client, storage)
        self.storage = storage

    def ingest(self, status: str = "ready", **summary: Any) -> str:
        """Claim the next data set and end its ingest; returns its id."""
        held = self.datasets.claim("ingest", "hand")
        assert held
        values = {"summary": {**SUMMARY, **summary}} if status == "ready" else {}
        return write_played(self.storage, self.datasets.finish(held, status, **values)).id

    def begin(self) -> Run:
        """Claim the next run."""
        held = self.runs.claim("cpu", "hand")
        assert held
        return held


@pytest.fixture
def hand(redis_client: Client, storage: Storage) -> Hand:
    return Hand(redis_client, storage)


def archive(files: int = 1, padding: int = 0) -> bytes:
    """A small zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for index in range(files):
            info = zipfile.ZipInfo(f"images/{index}.png", (2026, 1, 1, 0, 0, 0))
            archive.writestr(info, b"x" * padding)
    return buffer.getvalue()


def upload(client: FlaskClient, content: bytes | None = None, **fields: str) -> TestResponse:
    """POST a data set."""
    data: dict[str, Any] = {"name": "pets", **fields}
    data["file"] = (io.BytesIO(archive() if content is None else content), "pets.zip")
    return client.post("/api/v1/datasets", data=data)


@pytest.fixture
def dataset_id(client: FlaskClient, hand: Hand) -> str:
    """A data set that is ready."""
    assert upload(client).status_code == 202
    return hand.ingest()


@pytest.fixture
def run_id(client: FlaskClient, dataset_id: str) -> str:
    """A run that is queued."""
    response = submit(client, dataset_id)
    assert response.status_code == 201, response.text
    return str(response.json["id"])  # type: ignore[index]


def submit(client: FlaskClient, dataset_id: str, key: str | None = None, **body: Any) -> TestResponse:
    """POST a run."""
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/v1/runs", json={"dataset_id": dataset_id, **body}, headers=headers)


@pytest.fixture
def server(redis_url: str, tmp_path: Path) -> Iterator[Server]:
    """A server process of this test's own."""
    running = Server(redis_url, tmp_path)
    try:
        running.start()
        yield running
    finally:
        running.close()
