"""The form of a new run: made of the spec, judged by the server, sent as any client would."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.pages.runs.spec_form import spec_fields
from tests.api.boxed import summary as boxed_summary
from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import assert_accessible
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments

RUNS = "/api/v1/runs"
ACCEPTED = "The server would accept it."


@pytest.fixture(scope="module")
def dataset_id(server: Server) -> str:
    seed.dataset(server, seed.HOSTILE, seed.HOSTILE)
    return seed.dataset(server, "nuclei")


def verdict(page: Page) -> Any:
    return page.locator("#verdict")


def newest(server: Server) -> dict[str, Any]:
    return dict(server.http.get(f"{RUNS}/{server.http.get(RUNS).json()['items'][0]['id']}").json())


def leaves(spec: dict[str, Any], prefix: str = "") -> set[str]:
    """Names of a spec's fields by dots; lists and free objects are fields."""
    found = set()
    for name, value in spec.items():
        is_part = isinstance(value, dict) and not name.endswith("params")
        found |= leaves(value, f"{prefix}{name}.") if is_part else {prefix + name}
    return found


def test_the_form_has_every_field_of_a_spec():
    spec = Experiments(REPOSITORY / "configs").compose({}, None).to_dict()
    assert {field.name for field in spec_fields()} == leaves(spec) - {"version"}
    assert all(field.help for field in spec_fields())


def test_a_run_is_filled_in_judged_and_sent(page: Page, server: Server, dataset_id: str):
    page.goto("/runs")
    page.get_by_role("link", name="New run").click()
    expect(verdict(page)).to_have_text("Choose a data set.")
    assert_accessible(page)
    page.get_by_label("Data set").select_option(value=dataset_id)
    expect(verdict(page)).to_have_text(ACCEPTED)
    page.get_by_label("Name", exact=True).fill("by hand")
    page.get_by_label("Tags").fill("camera 2, <b>x</b>")
    page.get_by_label("Epochs", exact=True).fill("7")
    page.get_by_text("Optimization", exact=False).first.click()
    page.get_by_label("weight decay").fill("0.02")
    expect(page.locator("#changes")).to_have_text("2 settings differ")
    expect(page.locator(".changed .differs").first).to_contain_text("Default")
    expect(verdict(page)).to_have_text(ACCEPTED)
    assert_accessible(page)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/runs/run-*")
    expect(page.locator("#title")).to_contain_text("by hand")
    run = newest(server)
    assert (run["name"], run["tags"], run["epochs"]) == ("by hand", ["camera 2", "<b>x</b>"], 7)
    assert run["spec"]["optimization"]["weight_decay"] == 0.02


def test_what_the_server_would_refuse_is_said_at_its_field_as_one_types(page: Page, dataset_id: str):
    page.goto(f"/runs/new?dataset_id={dataset_id}")
    expect(verdict(page)).to_have_text(ACCEPTED)
    encoder = page.get_by_label("Encoder", exact=True)
    encoder.fill("resnet19")
    expect(verdict(page)).to_have_text("The server would refuse it.")
    expect(encoder).to_have_class("form-control form-control-sm is-invalid")
    described = encoder.get_attribute("aria-describedby")
    assert described == "spec.model.encoder-error"
    expect(page.locator(f"[id='{described}']")).to_contain_text("resnet18")
    expect(encoder).to_be_focused()
    assert_accessible(page)
    encoder.fill("resnet18")
    expect(verdict(page)).to_have_text(ACCEPTED)
    page.locator("summary", has_text="Optimization").click()
    losses = page.get_by_label("losses")
    losses.fill('[{"name": "dice", "weight": 1')
    expect(page.locator("[id='spec.optimization.losses-error']")).to_contain_text("not JSON")
    losses.fill('[{"name": "dicee", "weight": 1, "params": {}}]')
    expect(page.locator("[id='spec.optimization.losses-error']")).to_contain_text("0.name")


def test_the_address_holds_the_form(page: Page, dataset_id: str):
    page.goto("/runs/new")
    page.get_by_label("Data set").select_option(value=dataset_id)
    page.get_by_label("image size").fill("320")
    page.get_by_label("Group").fill("sweep 9")
    expect(page.locator("#changes")).to_have_text("1 setting differs")
    expect(verdict(page)).to_have_text(ACCEPTED)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked == {"dataset_id": [dataset_id], "group": ["sweep 9"], "spec.data.image_size": ["320"]}
    page.get_by_label("Experiment").select_option("pets-lite0")
    page.wait_for_url("**experiment=pets-lite0**")
    expect(page.get_by_label("image size")).to_have_value("320")
    expect(page.get_by_label("Encoder", exact=True)).not_to_have_value("resnet34")
    expect(page.get_by_label("Data set")).to_have_value(dataset_id)
    expect(page.get_by_label("Group")).to_have_value("sweep 9")


def test_a_run_is_cloned_into_a_form_that_shows_what_differs(page: Page, server: Server, dataset_id: str):
    spec = {
        "epochs": 9,
        "augmentation": {"transforms": [{"name": "HorizontalFlip", "params": {"p": 0.5}}]},
        "optimization": {"losses": [{"name": "dice", "weight": 1.0, "params": {}}]},
    }
    first = seed.run(server, dataset_id, name="first", experiment="unet-resnet18", spec=spec, tags=["a"])
    page.goto(f"/runs/{first}")
    page.get_by_role("link", name="Clone into a form").click()
    expect(page.get_by_label("Experiment")).to_have_value("unet-resnet18")
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("9")
    expect(verdict(page)).to_have_text(ACCEPTED)
    expect(page.locator("#changes")).to_have_text("4 settings differ")
    page.get_by_label("Learning rate", exact=True).fill("0.0005")
    expect(page.locator("#changes")).to_have_text("5 settings differ")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/runs/run-*")
    clone, origin = newest(server), server.http.get(f"{RUNS}/{first}").json()
    assert clone["name"] == "Copy of first"
    assert clone["tags"] == ["a"]
    assert clone["spec"]["optimization"].pop("learning_rate") == 0.0005
    origin["spec"]["optimization"].pop("learning_rate")
    assert clone["spec"] == origin["spec"]


def test_the_short_form_asks_for_what_a_study_does(page: Page, server: Server, dataset_id: str):
    page.goto("/runs/new")
    page.get_by_role("link", name="Short form").click()
    labels = page.locator("form label").all_inner_texts()
    assert [label.split(" (")[0] for label in labels] == [
        "Data set", "Architecture", "Epochs", "Learning rate", "Image size", "Batch size", "Val fraction",
    ]  # fmt: skip
    page.get_by_label("Data set").select_option(value=dataset_id)
    page.get_by_label("val fraction").fill("0.25")
    expect(verdict(page)).to_have_text(ACCEPTED)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/runs/run-*")
    assert newest(server)["spec"]["data"]["val_fraction"] == 0.25


@pytest.mark.parametrize("text", ["<b>", "[1", json.dumps({"a": 1}), '"x"'])
def test_an_address_that_means_nothing_spoils_nothing(page: Page, server: Server, text: str):
    answer = server.http.get(
        "/runs/new", params={"spec.epochs": text, "experiment": "none such", "spec.x": "1"}
    )
    assert answer.status_code == 200
    assert "<b>" not in answer.text
    assert server.http.get("/runs/new", params={"from": "run-0"}).status_code == 404


def test_what_a_project_has_saved_is_offered(page: Page, server: Server):
    dataset_id = seed.dataset(server, "beside", project="beside")
    body = {"name": seed.HOSTILE, "project": "beside", "spec": {"epochs": 77}}
    assert server.http.post("/api/v1/saved-experiments", json=body).status_code == 201
    page.goto("/runs/new")
    offered = page.locator("#saved-experiments option")
    expect(offered).to_have_count(0)
    page.get_by_label("Data set").select_option(dataset_id)
    expect(offered).to_have_text([seed.HOSTILE])
    page.get_by_label("Experiment").select_option(seed.HOSTILE)
    expect(page.get_by_label("Epochs", exact=True).first).to_have_value("77")
    expect(page.get_by_label("Experiment")).to_have_value(seed.HOSTILE)
    expect(page.locator("#verdict")).to_contain_text("would accept")


def test_the_form_is_of_what_the_data_set_can_train(page: Page, server: Server, dataset_id: str):
    boxed = seed.dataset(server, "cells", kinds=["boxes"], objects=boxed_summary()["objects"])
    labelled = seed.dataset(server, "species", kinds=["labels"])
    task, architecture = page.get_by_label("Task", exact=True), page.get_by_label("Architecture", exact=True)
    page.goto(f"/runs/new?dataset_id={boxed}")
    expect(task).to_have_value("detection")
    expect(architecture).to_have_value("FasterRCNN")
    assert "Unet" not in architecture.inner_text()
    expect(verdict(page)).to_have_text(ACCEPTED)
    expect(page.locator("#changes")).to_be_empty()
    assert parse_qs(urlsplit(page.url).query) == {"dataset_id": [boxed]}
    page.get_by_label("Data set").select_option(value=labelled)
    expect(task).to_have_value("classification")
    expect(architecture).to_have_value("Classifier")
    expect(verdict(page)).to_have_text(ACCEPTED)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/runs/run-*")
    assert newest(server)["spec"]["task"] == "classification"


def test_another_task_brings_its_own_defaults(page: Page, server: Server):
    both = seed.dataset(
        server, "outlined", kinds=["masks", "boxes", "outlines"], objects=boxed_summary()["objects"]
    )
    page.goto(f"/runs/new?dataset_id={both}")
    task, architecture = page.get_by_label("Task", exact=True), page.get_by_label("Architecture", exact=True)
    expect(task).to_have_value("segmentation")
    architecture.select_option("FPN")
    task.select_option("detection")
    expect(architecture).to_have_value("FasterRCNN")
    page.get_by_label("Form of the task").select_option("instance_segmentation")
    expect(architecture).to_have_value("MaskRCNN")
    expect(verdict(page)).to_have_text(ACCEPTED)
    page.reload()
    expect(architecture).to_have_value("MaskRCNN")
    expect(page.locator("#changes")).to_be_empty()
