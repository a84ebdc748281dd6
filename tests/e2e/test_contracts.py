"""The two older contracts against the real stack, which trains."""

import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Stack
from tests.waits import wait_for

pytestmark = pytest.mark.timeout(240)


def call(stack: Stack, method: str, path: str, status: int = 200, **params: Any) -> dict[str, Any]:
    answer = stack.http.request(method, path, params=params)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    if status == 200:
        datetime.fromisoformat(body["AnswerDate"])
    else:
        assert body["detail"]
    return body


def study(**changes: Any) -> dict[str, Any]:
    wanted = {"User": "made", "FileName": "shapes", "Epochs": 3, "LR": 0.001, "ImgSize": 112}
    return {**wanted, "BatchSize": 4, "Model": "Unet", "TestSize": 0.25, **changes}


@pytest.mark.thorough
def test_the_whole_study_contract(stack: Stack, dataset: dict[str, Any]):
    assert "Unet" in call(stack, "GET", "/modeles")["Description"]
    call(stack, "DELETE", "/modeles", ModelName="PAN")
    assert "PAN" not in call(stack, "GET", "/modeles/")["Description"]
    call(stack, "DELETE", "/modeles", 404, ModelName="PAN")
    call(stack, "POST", "/modeles", ModelName="PAN")
    call(stack, "POST", "/modeles", 409, ModelName="PAN")
    call(stack, "POST", "/modeles", 400, ModelName="NoSuchNet")
    call(stack, "POST", "/study", 400, **study(ImgSize=10))

    name = call(stack, "POST", "/study", **study())["ModelName"]
    assert name == "made-1"
    history = wait_for(
        lambda: call(stack, "GET", "/study", ModelName=name), lambda h: len(h["val_dice"]) == 3, 120
    )
    assert {len(history[k]) for k in ("train_loss", "train_dice", "val_loss", "val_dice")} == {3}
    assert Path(call(stack, "GET", "/checkstudy", ModelName=name, Epoch=2)["FilePath"]).is_file()
    call(stack, "GET", "/checkstudy", 404, ModelName=name, Epoch=4)

    second = call(stack, "POST", "/study/", **study(Epochs=500))["ModelName"]
    assert second == "made-2"
    wait_for(lambda: call(stack, "GET", "/study", ModelName=second), lambda h: len(h["val_loss"]) >= 1, 120)
    assert call(stack, "PUT", "/study", ModelName=second, Epochs=400)["Description"] == "Successful"
    stopped = call(stack, "DELETE", "/study", ModelName=second)
    assert Path(stopped["FilePath"]).is_file()

    third = call(stack, "POST", "/study", **study(Epochs=500))["ModelName"]
    wait_for(lambda: call(stack, "GET", "/study", ModelName=third), lambda h: len(h["val_loss"]) >= 1, 120)
    told = call(stack, "PUT", "/study", ModelName=third, Epochs=1)["Description"]
    assert told == "Study will be stopped after current epoch"

    for method in ("GET", "DELETE"):
        call(stack, method, "/study", 404, ModelName="made-99")


def test_the_training_contract_reads_folders_in_place_and_trains(stack: Stack, synthetic_zip: Path):
    def told(method: str, path: str, **sent: Any) -> Any:
        answer = stack.http.request(method, f"/training{path}", **sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    root = stack.storage / "incoming" / "made"
    with zipfile.ZipFile(synthetic_zip) as archive:
        for number, name in enumerate(sorted(archive.namelist())):
            archive.extract(name, root / ("test" if number % 4 == 0 else "train"))
    (root / "classes.json").write_text('{"0": "ground", "1": "disc", "2": "box"}')
    [found] = told("GET", "/datasets")["datasets"]
    start = {
        "config_name": "demo.yaml",
        "model_name": "Linknet",
        "train_data_dir": "data/made/train",
        "test_data_dir": found["test_path"],
    }
    assert told("POST", "/start", json=start) == {"status": "started"}
    assert stack.http.post("/training/start", json=start).status_code == 409
    wait_for(lambda: told("GET", "/status")["status"], lambda status: status == "running", 60)
    wait_for(lambda: stack.http.get("/training/metrics/latest").json()["total_rows"] >= 2, bool, 120)
    assert told("POST", "/stop") == {"status": "stopped"}
    assert told("GET", "/status") == {"status": "stopped"}

    [run] = stack.http.get("/api/v1/runs", params={"project": "training"}).json()["items"]
    log = told("GET", f"/metrics/runs/{run['id']}")
    assert log["max_epoch"] == log["total_rows"] == run["epoch"]
    assert Path(log["csv_file"]).read_text().splitlines()[0] == ",".join(log["available_columns"])
    [dataset] = stack.http.get("/api/v1/datasets", params={"project": "training"}).json()["items"]
    assert [info["name"] for info in dataset["summary"]["classes"]] == ["ground", "disc", "box"]
    assert set(dataset["summary"]["splits"]) == {"train", "val", "test"}
