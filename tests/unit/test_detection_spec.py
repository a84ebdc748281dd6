"""What a spec of detection may say, and what is refused with the field's name."""

from typing import Any

import pytest

from trainyard.catalog.encoder_pairs import unfit_architectures
from trainyard.catalog.names import encoder_names
from trainyard.errors import InvalidRequest
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.tasks.detection import ARCHITECTURES
from trainyard.tasks.registry import needs_of

EXPERIMENTS = Experiments(CONFIGS)
INSTANCES = {"architecture": "MaskRCNN", "task": "instance_segmentation"}


def test_its_defaults_are_its_own() -> None:
    spec = EXPERIMENTS.compose({"task": "detection"})
    assert (spec.model.architecture, spec.model.task, spec.data.fit, spec.checkpoints.monitor) == (
        "FasterRCNN", "detection", "letterbox", "val_map",
    )  # fmt: skip
    assert [term.name for term in spec.optimization.losses] == ["detector"]
    assert EXPERIMENTS.compose({}, "detect-lite0").task == "detection"
    assert EXPERIMENTS.compose({}, "detect-instances").model.task == "instance_segmentation"


def detector(**params: float) -> dict[str, Any]:
    return {"losses": [{"name": "detector", "weight": 1.0, "params": params}]}


@pytest.mark.parametrize(
    ("over", "part", "field"),
    [
        ({"model": {"architecture": "Unet"}}, "model", "architecture"),
        ({"model": {"architecture": "MaskRCNN"}}, "model", "architecture"),
        ({"model": {"task": "instance_segmentation", "architecture": "FCOS"}}, "model", "architecture"),
        ({"model": {"task": "multiclass"}}, "model", "task"),
        ({"model": {"encoder": "tu-vit_base_patch16_224"}}, "model", "encoder"),
        ({"model": {"encoder": "tu-test_vit4", "encoder_weights": "imagenet"}}, "model", "encoder"),
        ({"model": {"encoder": "mit_b9"}}, "model", "encoder"),
        (
            {"optimization": {"losses": [{"name": "dice", "weight": 1.0, "params": {}}]}},
            "optimization",
            "losses",
        ),
        ({"optimization": detector(mask=2.0)}, "optimization", "losses"),
        ({"optimization": detector(box=101.0)}, "optimization", "losses"),
        (
            {"model": {"architecture": "SSDlite"}, "optimization": detector(objectness=1)},
            "optimization",
            "losses",
        ),
        ({"optimization": {"class_weighting": "auto"}}, "optimization", "class_weighting"),
        ({"checkpoints": {"monitor": "val_miou"}}, "checkpoints", "monitor"),
        ({"early_stopping": {"monitor": "val_mask_map"}}, "early_stopping", "monitor"),
        ({"data": {"fit": "crop"}}, "data", "fit"),
        ({"data": {"eval_topk": [3]}}, "data", "eval_topk"),
        ({"data": {"class_sampling": "balanced"}}, "data", "class_sampling"),
        ({"augmentation": {"mixup_alpha": 0.2}}, "augmentation", "mixup_alpha"),
        ({"augmentation": {"min_visibility": 1.5}}, "augmentation", "min_visibility"),
        ({"compute": {"compile": True}}, "compute", "compile"),
    ],
)
def test_what_does_not_go_together_is_refused(over: dict[str, Any], part: str, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        EXPERIMENTS.compose({"task": "detection", **over})
    assert list(refused.value.errors["spec"]) == [part]
    assert list(refused.value.errors["spec"][part]) == [field]


@pytest.mark.parametrize(
    "over",
    [
        {
            "model": INSTANCES,
            "checkpoints": {"monitor": "val_mask_map50"},
            "optimization": detector(mask=0.5),
        },
        {"model": {"architecture": "FCOS"}, "optimization": detector(centerness=0.5)},
        {"model": {"architecture": "RetinaNet", "encoder": "tu-convnext_tiny"}},
        {"data": {"fit": "stretch"}, "early_stopping": {"monitor": "val_mar100", "patience": 3}},
    ],
)
def test_what_goes_together_is_taken(over: dict[str, Any]) -> None:
    assert EXPERIMENTS.compose({"task": "detection", **over}).task == "detection"


def test_most_encoders_serve() -> None:
    """Those that give maps of five scales, as the pyramid of segmentation asks for."""
    fit = [name for name in encoder_names() if "FPN" not in unfit_architectures(name)]
    assert len(fit) > 0.6 * len(encoder_names())


def test_batches_of_one_are_refused_before_a_worker_has_them() -> None:
    assert {name for name in ARCHITECTURES if needs_of(name).min_batch > 1} == {"SSDlite"}
