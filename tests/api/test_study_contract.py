"""A client that knows the study contract's page and nothing else, at a real server."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.api.server import Server

MODELS = ["Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "DeepLabV3", "DeepLabV3Plus", "PAN"]
STUDY = {
    "User": "anna", "FileName": "cells", "Epochs": "5", "LR": "0.001", "ImgSize": "256",
    "BatchSize": "4", "Model": "Unet", "TestSize": "0.2",
}  # fmt: skip
OUT_OF_RANGE = [
    ("Epochs", "0"), ("Epochs", "many"), ("LR", "0"), ("LR", "1.1"), ("ImgSize", "111"), ("ImgSize", "1049"),
    ("BatchSize", "0"), ("BatchSize", "101"), ("TestSize", "0"), ("TestSize", "0.95"),
    ("Model", "NoSuchModel"), ("FileName", "nothing"), ("User", "nobody"),
]  # fmt: skip


class Page:
    """Checks of every answer what the page says of every answer."""

    def __init__(self, server: Server) -> None:
        self._http = server.http

    def call(self, method: str, path: str, status: int = 200, **parameters: str) -> dict[str, Any]:
        """Both spellings of the path for what changes nothing, one for what does."""
        paths = [path, f"{path}/"] if method == "GET" else [f"{path}/"]
        for one in paths:
            answer = self._http.request(method, one, params=parameters)
        return self.checked(answer, status)

    def checked(self, answer: httpx.Response, status: int) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        body: dict[str, Any] = answer.json()
        datetime.fromisoformat(body.pop("AnswerDate"))
        assert ("detail" in body) == (status >= 400)
        return body


@pytest.fixture
def page(server: Server) -> Page:
    (server.storage.root / "incoming" / "cells").mkdir(parents=True)
    body = {"name": "cells", "project": "anna", "path": "cells"}
    assert server.http.post("/api/v1/datasets", json=body).status_code == 202
    server.ready_set()
    return Page(server)


def test_the_offered_models(page: Page):
    assert page.call("GET", "/modeles") == {"Description": MODELS}
    assert page.call("POST", "/modeles", 409, ModelName="Unet")["detail"]
    assert page.call("POST", "/modeles", 400, ModelName="NoSuchModel")["detail"]
    assert page.call("DELETE", "/modeles", ModelName="PAN").keys() == {"Description"}
    assert page.call("GET", "/modeles") == {"Description": MODELS[:-1]}
    assert page.call("DELETE", "/modeles", 404, ModelName="PAN")["detail"]
    assert page.call("POST", "/study", 400, **STUDY | {"Model": "PAN"})["detail"] == "Wrong parameters"
    assert page.call("POST", "/modeles", ModelName="PAN").keys() == {"Description"}
    assert page.call("GET", "/modeles") == {"Description": MODELS}


def test_wrong_parameters(page: Page):
    for name, value in OUT_OF_RANGE:
        refused = page.call("POST", "/study", 400, **STUDY | {name: value})
        assert refused["detail"] == "Wrong parameters", name
        missing = {key: kept for key, kept in STUDY.items() if key != name}
        assert page.call("POST", "/study", 400, **missing)["detail"] == "Wrong parameters", name


def test_a_study(page: Page, server: Server):
    started = page.call("POST", "/study", **STUDY)
    assert started == {"ModelName": "anna-1"}
    study = {"ModelName": "anna-1"}
    empty = {name: [] for name in ("train_loss", "train_dice", "val_loss", "val_dice")}
    assert page.call("GET", "/study", **study) == empty
    assert page.call("PUT", "/study", **study, Epochs="9") == {"Description": "Successful"}
    held = server.runs.claim("cpu", "hand") or server.runs.claim("gpu", "hand")
    assert held
    held = server.runs.update(held, epoch=3)
    stopping = {"Description": "Study will be stopped after current epoch"}
    assert page.call("PUT", "/study", **study, Epochs="3") == stopping
    assert page.call("PUT", "/study", 400, **study, Epochs="0")["detail"] == "Wrong parameters"
    path = server.storage.run(held.id).epoch_checkpoint(2)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    assert page.call("GET", "/checkstudy", **study, Epoch="2") == {"FilePath": str(path)}
    assert page.call("GET", "/checkstudy", 404, **study, Epoch="3")["detail"]
    server.runs.finish(held, "stopped")
    assert page.call("DELETE", "/study", **study) == {"FilePath": str(path)}
    assert page.call("POST", "/study", **STUDY) == {"ModelName": "anna-2"}


def test_what_is_not_there(page: Page):
    unknown = {"ModelName": "anna-99"}
    assert page.call("GET", "/study", 404, **unknown)["detail"] == "Study not found"
    assert page.call("DELETE", "/study", 404, **unknown)["detail"] == "Study not found"
    assert page.call("PUT", "/study", 404, **unknown, Epochs="2")["detail"] == "Study not found"
    assert page.call("GET", "/checkstudy", 404, **unknown, Epoch="1")["detail"] == "Study not found"


def test_other_methods_and_bodies(page: Page, server: Server):
    for method, path in (("PATCH", "/study"), ("POST", "/checkstudy"), ("PUT", "/modeles")):
        assert page.call(method, path, 405)["detail"] == "Method Not Allowed"
    for sent in ({"json": STUDY}, {"data": STUDY}):
        assert page.checked(server.http.post("/study", **sent), 200).keys() == {"ModelName"}
    for content, kind in ((b"{", "application/json"), (b"[]", "application/json"), (b"x", "text/plain")):
        answer = server.http.post("/study", content=content, headers={"Content-Type": kind})
        assert page.checked(answer, 400)["detail"] == "Wrong parameters"
