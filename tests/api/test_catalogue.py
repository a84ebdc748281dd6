"""What may be asked for."""

from flask.testing import FlaskClient

from trainyard.catalog.names import smp_encoder_names
from trainyard.tasks.classification import CLASSIFIER
from trainyard.tasks.detection import ARCHITECTURES as DETECTORS
from trainyard.tasks.segmentation import ARCHITECTURES


def test_architectures_with_their_rules(client: FlaskClient):
    items = {item["name"]: item for item in client.get("/api/v1/models").json["items"]}
    assert items.keys() == {*ARCHITECTURES, CLASSIFIER, *DETECTORS}
    assert items["DeepLabV3"]["size_multiple"] == 8
    assert items["DeepLabV3"]["min_batch"] == 2
    assert items["PSPNet"]["dynamic_size"] is False
    assert items["DPT"]["encoder_prefix"] == "tu-"


def test_encoders_are_smps_own_without_a_search(client: FlaskClient):
    answer = client.get("/api/v1/encoders").json
    assert answer["items"] == smp_encoder_names()
    assert answer["total"] == len(answer["items"])


def test_a_search_looks_at_timm_as_well_and_is_limited(client: FlaskClient):
    answer = client.get("/api/v1/encoders?search=ResNet 50").json
    assert "resnet50" in answer["items"]
    assert any(name.startswith("tu-") for name in answer["items"])
    everything = client.get("/api/v1/encoders?search=e").json
    assert len(everything["items"]) == 200 < everything["total"]
    assert client.get("/api/v1/encoders?search=no-such-thing").json == {"items": [], "total": 0}


def test_odd_searches(client: FlaskClient):
    for search in ("", "%20", "x" * 101, "%00"):
        response = client.get(f"/api/v1/encoders?search={search}")
        assert response.status_code == 422
        assert "search" in response.json["errors"]


def test_experiments_are_complete_specs(client: FlaskClient):
    items = {item["name"]: item["spec"] for item in client.get("/api/v1/experiments").json["items"]}
    assert {"unet-resnet18", "pets-lite0"} <= items.keys()
    assert items["pets-lite0"]["optimization"]["optimizer"] == "adamw"
    assert items["unet-resnet18"]["augmentation"]["transforms"]


def test_other_names(client: FlaskClient):
    names = client.get("/api/v1/catalog").json
    assert {"light", "none"} <= set(names["presets"])
    assert "HorizontalFlip" in names["transforms"]
    assert names["device_classes"] == ["cpu", "gpu", "gpu-large"]
    assert names.pop("plugins") == []
    assert all(names.values())
    task, other, detection = names["tasks"]
    assert [one["name"] for one in names["tasks"]] == ["segmentation", "classification", "detection"]
    assert task["forms"] == ["multiclass", "binary", "multilabel"]
    assert task["monitors"]["val_loss"] == "min"
    assert set(task["architectures"]) == ARCHITECTURES.keys()
    assert {*task["losses"]} | {*detection["losses"]} == {*names["losses"]}
    assert detection["forms"] == ["detection", "instance_segmentation"]
    assert set(detection["architectures"]) == DETECTORS.keys()
    assert (other["forms"], other["architectures"]) == (["multiclass", "multilabel"], [CLASSIFIER])
