"""Projects of whose data this server shows no picture."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from app.service.hidden_pictures import HiddenPictures
from tests.api.conftest import Hand, submit, upload
from trainyard.settings import Settings
from trainyard.storage.epoch_overlays import overlay_file
from trainyard.storage.files import Storage

SHOWN = ("figures/val-confusion.png", "metrics.csv", "checkpoints/best.ckpt")
HIDDEN = (
    "figures/overlay.png",
    "report.html",
    "attempts/1/overlays/3.jpg",
    "tensorboard/events.out.tfevents.1",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, hidden_pictures=("ward 7",))


def made(client: FlaskClient, hand: Hand, storage: Storage, project: str) -> tuple[str, str]:
    """A data set and a run of a project, with files; their addresses."""
    assert upload(client, project=project).status_code == 202
    dataset_id = hand.ingest()
    run_id = str(submit(client, dataset_id).json["id"])  # type: ignore[index]
    held, folder = hand.begin(), storage.run(run_id)
    hand.runs.update(held, metrics_of=held.fence, epoch=1)
    for file in (
        *(folder.path / name for name in SHOWN + HIDDEN),
        overlay_file(folder.attempt(held.fence), 1),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"content")
    return f"datasets/{dataset_id}", f"runs/{run_id}"


def test_no_picture_of_a_hidden_project_leaves_the_server(client: FlaskClient, hand: Hand, storage: Storage):
    dataset, run = made(client, hand, storage, "ward 7")
    paths = [f"{dataset}/samples/0.png", f"{dataset}/questions/classes/a.png", f"{run}/overlays/1"]
    paths += [f"{run}/artifacts/{name}" for name in HIDDEN]
    paths += [f"{run}/artifacts/{name}?disposition=inline" for name in HIDDEN]
    for path in paths:
        refused = client.get(f"/api/v1/{path}")
        assert refused.status_code == 403, path
        assert "'ward 7'" in refused.json["message"]  # type: ignore[index]
        assert "TRAINYARD_HIDE_PICTURES" in refused.json["remedy"]  # type: ignore[index]
    board = client.post("/api/v1/boards", json={"runs": [run.partition("/")[2]]})
    assert board.status_code == 403
    for name in SHOWN:
        assert client.get(f"/api/v1/{run}/artifacts/{name}").data == b"content", name


def test_pages_say_so_and_ask_for_none(client: FlaskClient, hand: Hand, storage: Storage):
    dataset, run = made(client, hand, storage, "ward 7")
    for path in (dataset, run, f"runs/compare?ids={run.partition('/')[2]}"):
        text = client.get(f"/{path}").text
        assert not [
            one for one in ("overlay.png", "overlays/", "report.html", "samples/", "<iframe") if one in text
        ]
        assert ("shows no pictures of the data" in text) == ("compare" not in path)


def test_other_projects_are_shown(client: FlaskClient, hand: Hand, storage: Storage):
    _, run = made(client, hand, storage, "lab")
    for name in SHOWN + HIDDEN:
        assert client.get(f"/api/v1/{run}/artifacts/{name}").data == b"content", name
    assert client.get(f"/api/v1/{run}/overlays/1").status_code == 200
    assert f"/api/v1/{run}/overlays/1" in client.get(f"/{run}").text


def test_a_star_hides_those_of_all():
    hidden = Settings.from_environment({"TRAINYARD_HIDE_PICTURES": " ward 7 , * "}).hidden_pictures
    assert hidden == ("ward 7", "*")
    assert HiddenPictures(hidden).covers("lab")
    assert not HiddenPictures(("ward 7",)).covers("lab")
