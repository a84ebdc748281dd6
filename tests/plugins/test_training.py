"""Runs with a plug-in's loss, optimizer, metric and architecture: they train, resume, report and export."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from tests.training.classification.conftest import draw_labelled, tiny
from tests.training.conftest import Run, draw_set, tiny_spec
from tests.training.detection.conftest import draw_objects
from tests.training.detection.conftest import tiny as boxed
from trainyard.errors import InvalidRequest, PluginMissing, WeightsUnavailable
from trainyard.runs.events import EpochEnd
from trainyard.runs.signals import Signals
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from workers.plugins import registry
from workers.training.network.optimizer import make_optimizer

TVERSKY = {
    "losses": [
        {"name": "acme.tversky", "weight": 1.0, "params": {"alpha": 0.7}},
        {"name": "cross_entropy", "weight": 0.5, "params": {}},
    ],
    "optimizer": "acme.plain_sgd",
    "learning_rate": 0.05,
}
WEIGHTED = {"name": "acme.weighted", "weight": 1.0, "params": {}}
POOLED = {"architecture": "acme.pooled", "encoder": "acme.small"}


@pytest.fixture
def segmentation(acme: None, tmp_path: Path) -> Run:
    return Run(tmp_path / "run", draw_set(tmp_path / "set", train=12, val=8))


@pytest.fixture
def classification(acme: None, tmp_path: Path) -> Run:
    return Run(tmp_path / "run", draw_labelled(tmp_path / "set", train=12, val=9), finishes=True)


def rows(run: Run) -> list[dict[str, float]]:
    clock = ("images_per_second", "epoch_seconds")
    return [{k: v for k, v in event.metrics.items() if k not in clock} for event in run.of(EpochEnd)]


def test_a_loss_and_an_optimizer_train(segmentation: Run):
    segmentation.fit(epochs=4, spec=tiny_spec(optimization=TVERSKY, augmentation={"preset": "none"}))
    found = rows(segmentation)
    assert found[-1]["train_loss"] < found[0]["train_loss"]
    assert all(0 <= row["val_acme.first_share"] <= 1 for row in found)
    assert "train_acme.first_share" not in found[0]


def test_the_optimizer_has_a_group_for_each_rate(acme: None, tmp_path: Path):
    network = registry.registered("architecture", "acme.pooled").make(
        encoder="acme.large", classes=3, pretrained=False
    )

    over = tiny(optimization={**TVERSKY, "losses": [{"name": "cross_entropy", "weight": 1.0, "params": {}}]})
    spec = Experiments(CONFIGS).compose(over)
    made = make_optimizer(network, spec.optimization, fused=True)
    assert isinstance(made, torch.optim.SGD)
    assert {group["lr"] for group in made.param_groups} == {0.05, 0.05 * spec.optimization.encoder_lr_factor}


def test_a_metric_decides_which_epoch_is_best(segmentation: Run):
    monitored = {"monitor": "val_acme.first_share", "every_epochs": 0, "keep_last": 0}
    result = segmentation.fit(epochs=3, spec=tiny_spec(checkpoints=monitored))
    shares = [row["val_acme.first_share"] for row in rows(segmentation)]
    assert result.best_epoch == 1 + max(range(3), key=lambda n: (shares[n], -n))


def test_a_run_drained_within_validation_goes_on_as_if_it_had_not_been(segmentation: Run, tmp_path: Path):
    spec = tiny_spec(optimization=TVERSKY)
    whole = Run(tmp_path / "whole", segmentation.prepared)
    whole.fit(epochs=3, spec=spec)
    left = segmentation.fit(epochs=3, spec=spec, signals={6: Signals(drain=True)})
    assert (left.status, left.epoch, left.step) == ("drained", 0, 3)
    segmentation.fit(epochs=3, spec=spec, resume=True)
    assert rows(segmentation) == rows(whole)


def test_an_architecture_is_trained_reported_and_exported(classification: Run):
    spec = tiny(
        model=POOLED, export={"onnx": True},
        optimization={"losses": [WEIGHTED], "class_weighting": "auto"},
        checkpoints={"monitor": "val_acme.first_class_error", "every_epochs": 0, "keep_last": 0},
    )  # fmt: skip
    result = classification.fit(epochs=2, spec=spec)
    assert "val_acme.first_class_error" in result.best
    folder = RunFolder(classification.folder)
    assert folder.report_html.is_file()
    model = onnxruntime.InferenceSession(str(folder.path / "export" / "model.onnx"))
    facts = model.get_modelmeta().custom_metadata_map
    assert json.loads(facts["trainyard.classes"]) == ["disc", "box", "cross"]
    (put,) = model.get_inputs()
    logits = model.run(None, {put.name: np.zeros((1, 3, 32, 32), np.float32)})[0]
    assert logits.shape == (1, 3)


def test_weights_that_cannot_be_had_are_told(classification: Run):
    with pytest.raises(WeightsUnavailable, match="the lab's server does not answer"):
        classification.fit(spec=tiny(model={**POOLED, "encoder_weights": "imagenet"}))


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        (tiny_spec(optimization=TVERSKY), "loss 'acme.tversky'|optimizer 'acme.plain_sgd'"),
        (tiny_spec(early_stopping={"monitor": "val_acme.first_share"}), "metric 'acme.first_share'"),
    ],
)
def test_a_worker_without_the_plug_in_says_so_before_it_trains(
    segmentation: Run, monkeypatch: pytest.MonkeyPatch, spec, named: str
):
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setenv("TRAINYARD_PLUGINS", "")
    with pytest.raises(PluginMissing, match=named):
        segmentation.fit(spec=spec)
    assert rows(segmentation) == []


GRID = {"architecture": "acme.grid", "encoder": "acme.grid4"}


def test_a_detector_and_a_metric_of_detection(acme: None, tmp_path: Path):
    run = Run(tmp_path / "run", draw_objects(tmp_path / "set", train=8, val=4), finishes=True)
    spec = boxed(model=GRID, augmentation={"preset": "none"}, optimization={"learning_rate": 0.05})
    run.fit(epochs=2, spec=spec, signals={4: Signals(stop="now", stop_version=1)})
    run.fit(epochs=2, spec=spec, resume=True)
    found = rows(run)
    assert [name for name in found[-1] if name.startswith("val_loss")] == [
        "val_loss", "val_loss_there", "val_loss_box",
    ]  # fmt: skip
    assert found[-1]["val_acme.per_object"] == pytest.approx(8 / 5), "of four images"
    assert found[-1]["val_map50"] is not None
    assert json.loads(RunFolder(run.folder).report_json.read_text())["splits"]["val"]["images"] == 4


@pytest.mark.parametrize(
    ("over", "part", "field"),
    [
        ({"export": {"onnx": True}}, "export", "onnx"),
        ({"model": {**GRID, "task": "instance_segmentation"}}, "model", "task"),
    ],
)
def test_what_a_plug_ins_detector_cannot_do_is_refused(over: dict[str, Any], part: str, field: str):
    with pytest.raises(InvalidRequest) as refused:
        Experiments(CONFIGS).compose(boxed(**{"model": GRID, **over}))
    assert list(refused.value.errors["spec"]) == [part]
    assert list(refused.value.errors["spec"][part]) == [field]
