"""What a spec of classification may say, and what is refused with the field's name."""

import json
from pathlib import Path
from typing import Any

import pytest

from trainyard.datasets.record import ClassInfo, Dataset, DatasetSummary
from trainyard.errors import InvalidRequest
from trainyard.runs.dataset_checks import fitted
from trainyard.settings import CONFIGS
from trainyard.spec.checks import check_classes
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage

EXPERIMENTS = Experiments(CONFIGS)
CLASSES = tuple(
    ClassInfo(index=index, name=str(index), value=index, color=(0, 0, 0), pixels=2, share=0.5, images=2)
    for index in range(2)
)


def test_its_defaults_are_its_own() -> None:
    spec = EXPERIMENTS.compose({"task": "classification"})
    assert (spec.model.architecture, spec.data.fit, spec.checkpoints.monitor) == (
        "Classifier", "crop", "val_acc1",
    )  # fmt: skip
    assert [term.name for term in spec.optimization.losses] == ["cross_entropy"]
    assert EXPERIMENTS.compose({}, "classify-lite0").task == "classification"


@pytest.mark.parametrize(
    ("over", "part", "field"),
    [
        ({"model": {"architecture": "Unet"}}, "model", "architecture"),
        ({"model": {"task": "binary"}}, "model", "task"),
        ({"model": {"encoder_weights": "imagenet", "encoder": "tu-test_vit4"}}, "model", "encoder_weights"),
        (
            {
                "model": {"task": "multilabel"},
                "optimization": {"losses": [{"name": "cross_entropy", "weight": 1.0, "params": {}}]},
            },
            "optimization",
            "losses",
        ),
        (
            {"optimization": {"losses": [{"name": "dice", "weight": 1.0, "params": {}}]}},
            "optimization",
            "losses",
        ),
        (
            {"optimization": {"losses": [{"name": "focal", "weight": 1.0, "params": {"alpha": 0.3}}]}},
            "optimization",
            "losses",
        ),
        ({"optimization": {"class_weighting": "given"}}, "optimization", "class_weights"),
        ({"checkpoints": {"monitor": "val_miou"}}, "checkpoints", "monitor"),
        ({"early_stopping": {"monitor": "val_acc5"}}, "early_stopping", "monitor"),
        ({"model": {"encoder": "hf-hub:net"}}, "model", "encoder"),
        ({"model": {"encoder": "hf-hub:lab/net/../x"}}, "model", "encoder"),
        ({"model": {"encoder": "folder:"}}, "model", "encoder"),
        ({"data": {"eval_topk": [1]}}, "data", "eval_topk"),
        ({"data": {"eval_topk": [5, 5]}}, "data", "eval_topk"),
        ({"data": {"class_sampling": "even"}}, "data", "class_sampling"),
        ({"augmentation": {"mixup_alpha": -1}}, "augmentation", "mixup_alpha"),
    ],
)
def test_what_does_not_go_together_is_refused(over: dict[str, Any], part: str, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        EXPERIMENTS.compose({"task": "classification", **over})
    assert list(refused.value.errors["spec"]) == [part]
    assert list(refused.value.errors["spec"][part]) == [field]


@pytest.mark.parametrize(
    ("task", "form", "part", "found"),
    [
        ("classification", "multilabel", "losses", "bce"),
        ("classification", "multiclass", "losses", "cross_entropy"),
        ("detection", "instance_segmentation", "architecture", "MaskRCNN"),
        ("detection", "detection", "architecture", "FasterRCNN"),
    ],
)
def test_each_form_of_a_task_has_defaults_that_it_can_train_with(
    task: str, form: str, part: str, found: str
) -> None:
    spec = Experiments(CONFIGS).compose({"task": task, "model": {"task": form}})
    assert (spec.optimization.losses[0].name if part == "losses" else spec.model.architecture) == found
    named = {"task": task, "model": {"task": form}}
    assert Experiments(CONFIGS).compose({}, named) == spec


@pytest.mark.parametrize("form", ["", "../classification", ["multilabel"], {}, None, 7])
def test_a_form_that_is_none_is_refused(form: Any) -> None:
    with pytest.raises(InvalidRequest) as raised:
        Experiments(CONFIGS).compose({"task": "classification", "model": {"task": form}})
    assert list(raised.value.errors["spec"]["model"]) == ["task"]


def test_a_place_that_is_asked_for_may_be_monitored() -> None:
    over = {"data": {"eval_topk": [3, 5]}, "checkpoints": {"monitor": "val_acc5"}}
    assert EXPERIMENTS.compose({"task": "classification", **over}).data.eval_topk == [3, 5]


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("data", "eval_topk", [5]),
        ("data", "class_sampling", "balanced"),
        ("augmentation", "mixup_alpha", 0.2),
        ("augmentation", "cutmix_alpha", 1.0),
    ],
)
def test_segmentation_has_no_use_for_it(part: str, field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        EXPERIMENTS.compose({part: {field: value}})
    assert list(refused.value.errors["spec"][part]) == [field]


def test_a_set_of_the_other_form_is_refused() -> None:
    spec = EXPERIMENTS.compose({"task": "classification"})
    check_classes(spec, 10_000, "multiclass")
    with pytest.raises(InvalidRequest, match="multilabel"):
        check_classes(spec, 5, "multilabel")


def test_there_are_weights_for_many_classes() -> None:
    over = {"class_weighting": "given", "class_weights": [1.0] * 1000}
    spec = EXPERIMENTS.compose({"task": "classification", "optimization": over})
    check_classes(spec, 1000, "multiclass")
    with pytest.raises(InvalidRequest, match="1000 class weights and 999 classes"):
        check_classes(spec, 999, "multiclass")


@pytest.mark.parametrize("encoder", ["hf-hub:timm/resnet18.a1_in1k", "hf-hub:lab/net@v1", "folder:nets/own"])
def test_an_encoder_may_be_named_by_where_it_lies(encoder: str) -> None:
    spec = EXPERIMENTS.compose({"task": "classification", "model": {"encoder": encoder}})
    assert (spec.model.encoder, spec.version) == (encoder, 6)
    for task in ("segmentation", "detection"):
        with pytest.raises(InvalidRequest) as refused:
            EXPERIMENTS.compose({"task": task, "model": {"encoder": encoder}})
        assert list(refused.value.errors["spec"]["model"]) == ["encoder"]


def test_a_folder_is_looked_at_before_a_run_is_made(tmp_path: Path) -> None:
    storage, place = Storage(tmp_path), tmp_path / "weights" / "nets" / "own"
    spec = EXPERIMENTS.compose({"task": "classification", "model": {"encoder": "folder:nets/own"}})
    summary = DatasetSummary(
        content_hash="0", images=4, splits={"train": 2, "val": 2}, classes=CLASSES, ignore_share=0.0,
        sizes={}, mean=(0.5,) * 3, std=(0.5,) * 3, kinds=("labels",),
    )  # fmt: skip
    dataset = Dataset(id="ds-000000000000", name="d", project="p", created_at=0, summary=summary)
    config = {
        "architecture": "resnet18",
        "model_args": {"in_chans": 3},
        "pretrained_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1]},
    }

    def refusal() -> str:
        with pytest.raises(InvalidRequest) as refused:
            fitted(spec, dataset, storage)
        assert list(refused.value.errors["spec"]["model"]) == ["encoder"]
        return refused.value.message

    assert "no folder" in refusal()
    place.mkdir(parents=True)
    for content, said in (("{", "Expecting"), ('{"architecture": "net9"}', "net9")):
        (place / "config.json").write_text(content)
        assert said in refusal()
    (place / "config.json").write_text(json.dumps(config))
    assert fitted(spec, dataset, storage)[0] == spec
