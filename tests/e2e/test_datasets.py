"""Data sets against the real stack: formats, a label map, previews, versions and deletion."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Stack
from tests.waits import wait_for

pytestmark = pytest.mark.timeout(240)


def read_again(stack: Stack, dataset_id: str, **change: Any) -> dict[str, Any]:
    answer = stack.http.post(f"/api/v1/datasets/{dataset_id}/label-map", json=change)
    assert answer.status_code == 202, answer.text
    url = f"/api/v1/datasets/{dataset_id}"
    return wait_for(lambda: stack.http.get(url).json(), lambda d: d["status"] not in ("queued", "ingesting"))


def test_a_set_that_does_not_fit_is_mended_trained_and_deleted(stack: Stack, synthetic_zip: Path):
    failed = stack.upload(
        synthetic_zip, name="shapes", project="mend", classes='{"0": "ground", "1": "shape"}'
    )
    assert failed["status"] == "failed"
    assert failed["problems"][0]["code"] == "unknown_value"
    assert failed["proposed_label_map"] is None, "2 may be another object of class 1: nothing is dropped"
    url = f"/api/v1/datasets/{failed['id']}"

    ready = read_again(stack, failed["id"], label_map={"2": 1})
    assert (ready["status"], ready["version"]) == ("ready", 1)
    assert [c["name"] for c in ready["summary"]["classes"]] == ["ground", "shape"]

    run = stack.submit(failed["id"], epochs=500)
    assert run["dataset_hash"] == ready["summary"]["content_hash"]
    refused = stack.http.delete(url)
    assert refused.status_code == 409
    assert run["id"] in refused.json()["errors"]["runs"]
    stack.wait_run(run["id"], lambda r: r["epoch"] >= 1)
    stack.http.post(f"/api/v1/runs/{run['id']}/stop")
    stack.wait_run(run["id"], lambda r: r["status"] == "stopped")

    other = read_again(stack, failed["id"], label_map={"2": None})
    assert (other["version"], len(other["versions"])) == (2, 2)
    assert other["summary"]["ignore_share"] > 0

    samples = stack.http.get(f"{url}/samples", params={"split": "val", "class": "shape"}).json()["items"]
    assert samples
    picture = stack.http.get(samples[0]["url"])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")

    assert stack.http.delete(url).status_code == 204
    assert stack.http.get(url).status_code == 404
    assert not (stack.storage / "datasets" / failed["id"]).exists()


def test_coco_comes_as_images_and_one_annotation_file(stack: Stack, shared_data: Path, tmp_path: Path):
    source = shared_data / "coco_tiny"
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for image in sorted((source / "images").iterdir()):
            archive.write(image, image.name)
    with (tmp_path / "images.zip").open("rb") as images, (source / "annotations.json").open("rb") as notes:
        answer = stack.http.post(
            "/api/v1/datasets",
            data={"name": "coco", "project": "made"},
            files={"file": ("images.zip", images), "annotation": ("annotations.json", notes)},
        )
    assert answer.status_code == 202, answer.text
    url = f"/api/v1/datasets/{answer.json()['id']}"
    ready = wait_for(lambda: stack.http.get(url).json(), lambda d: d["status"] not in ("queued", "ingesting"))
    assert ready["status"] == "ready", ready["problems"]
    assert ready["summary"]["images"] == 33
    assert "person" in [c["name"] for c in ready["summary"]["classes"]]
