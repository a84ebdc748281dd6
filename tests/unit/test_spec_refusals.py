"""What a spec is refused for: the message, the field with what it accepts, and which part of it asks."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from trainyard.errors import InvalidRequest, NewerRecord
from trainyard.settings import Settings
from trainyard.spec.checks import PARTS, check_known, check_parts
from trainyard.spec.experiments import Experiments, load_spec
from trainyard.spec.stored import read_spec
from trainyard.spec.training_spec import SPEC_VERSION, LossSpec, TrainingSpec, TransformSpec

CONFIGS = Settings().configs
EXPERIMENTS = Experiments(CONFIGS)
PLAIN = EXPERIMENTS.compose({})
HOLE = TransformSpec(name="CoarseDropout", params={"hole_height_range": [8, 64], "hole_width_range": [8, 16]})
ON_CPU = TransformSpec(name="CLAHE", params={})
ALWAYS = TransformSpec(name="CLAHE", params={"p": 1, "clip_limit": [4, 4]})
MONITORS = "one of: val_miou, val_dice, val_loss, train_loss"


def changed(spec: Any, change: Mapping[str, Any]) -> Any:
    """The spec with some fields other ones, unchecked, as an older release may have stored it."""
    found = {}
    for name, value in change.items():
        known = getattr(spec, name)
        found[name] = changed(known, value) if isinstance(value, Mapping) and is_dataclass(known) else value
    assert found.keys() <= {field.name for field in fields(spec)}
    return replace(spec, **found)


def refusal(spec: TrainingSpec, asked: set[str]) -> InvalidRequest | None:
    try:
        check_parts(spec, asked)
    except InvalidRequest as error:
        return error
    return None


@pytest.mark.parametrize(
    ("change", "message", "field", "accepted", "parts"),
    [
        (
            {"early_stopping": {"monitor": "val_map"}},
            "early_stopping.monitor: the task segmentation has no 'val_map'.",
            "early_stopping.monitor", MONITORS, {"early_stopping"},
        ),
        (
            {"checkpoints": {"monitor": "val_map"}},
            "checkpoints.monitor: the task segmentation has no 'val_map'.",
            "checkpoints.monitor", MONITORS, {"checkpoints"},
        ),
        (
            {"model": {"encoder": "hf-hub:timm/resnet18"}},
            "hf-hub:timm/resnet18 is of classification: segmentation takes its encoders by their names.",
            "model.encoder", "an encoder of smp, or tu- and a timm model", {"model"},
        ),
        (
            {"compute": {"devices": 2, "strategy": "ddp"}, "optimization": {"freeze_encoder_epochs": 1}},
            "A frozen encoder has no gradients, which the strategy ddp waits for.",
            "compute.strategy", "auto, or ddp_find_unused_parameters_true", {"compute", "optimization"},
        ),
        (
            {"export": {"onnx": False, "int8": True, "half": True}},
            "export.half is a form of the ONNX file, which is not asked for.",
            "export.onnx", "true, or half, int8 false", {"export"},
        ),
        (
            {"export": {"onnx": False, "with_preprocessing": True}},
            "export.with_preprocessing is a form of the ONNX file, which is not asked for.",
            "export.onnx", "true, or with_preprocessing false", {"export"},
        ),
        (
            {"export": {"with_preprocessing": True}, "augmentation": {"validation": [ALWAYS]}},
            "The transforms of augmentation.validation cannot be baked into an ONNX file.",
            "export.with_preprocessing", "false, or augmentation.validation empty", {"export",
            "augmentation"},
        ),
        (
            {"data": {"image_size": 32}, "augmentation": {"transforms": [HOLE]}},
            "spec.augmentation.transforms[0] cannot be used: hole_height_range must be at most 32 pixels, "
            "the images' own size.",
            "augmentation.transforms.0.params.hole_height_range",
            "must be at most 32 pixels, the images' own size", {"augmentation", "data"},
        ),
        (
            {"augmentation": {"validation": [ON_CPU]}},
            "spec.augmentation.validation[0] cannot be used: p must be given as 1: every image is seen "
            "alike.",
            "augmentation.validation.0.params.p", "must be given as 1: every image is seen alike",
            {"augmentation"},
        ),
    ],
)  # fmt: skip
def test_a_contradiction_is_named_by_whichever_part_of_it_is_asked_for(
    change: dict[str, Any], message: str, field: str, accepted: str, parts: set[str]
):
    spec = changed(PLAIN, change)
    found = {part: error for part in PARTS if (error := refusal(spec, {part}))}
    assert found.keys() == {"task", *parts}
    expected: Any = [accepted]
    for name in reversed(field.split(".")):
        expected = {name: expected}
    for error in found.values():
        assert (error.message, error.errors) == (message, {"spec": expected})


@pytest.mark.parametrize("size", [32, 64])
def test_what_the_device_that_trains_does_not_do_is_asked_by_images_too(size: int):
    change = {"data": {"image_size": size}, "augmentation": {"device": "training", "transforms": [ON_CPU]}}
    spec = changed(PLAIN, change)
    found = {part: str(error.message) for part in PARTS if (error := refusal(spec, {part}))}
    assert found.keys() == {"task", "augmentation", "data"}
    assert all("augmentation.transforms[0] cannot be CLAHE" in message for message in found.values())
    assert refusal(changed(spec, {"augmentation": {"device": "cpu"}}), {*PARTS}) is None


def test_what_goes_together_is_taken_whatever_is_asked():
    for change in (
        {},
        {"compute": {"devices": 1, "strategy": "ddp"}, "optimization": {"freeze_encoder_epochs": 1}},
        {"compute": {"devices": 2, "strategy": "auto"}, "optimization": {"freeze_encoder_epochs": 1}},
        {"compute": {"devices": 2, "strategy": "ddp"}, "optimization": {"freeze_encoder_epochs": 0}},
        {"export": {"onnx": False}},
        {"export": {"half": True, "int8": True}},
        {"export": {"with_preprocessing": True}},
        {"augmentation": {"validation": [ALWAYS]}},
    ):
        spec = changed(PLAIN, change)
        assert [part for part in (*PARTS, "epochs") if refusal(spec, {part})] == [], change


@pytest.mark.parametrize(
    ("part", "change", "message", "field", "accepted", "remedy"),
    [
        ("data", {"fit": "x"}, "This release has no fit 'x'.", "fit", "one of: stretch, letterbox, crop",
        "Change"),
        (
            "optimization", {"class_weighting": "x"}, "This release trains with no class_weighting 'x'.",
            "class_weighting", "one of: none, auto, given", "Fork",
        ),
        (
            "optimization", {"schedule": {"name": "x"}}, "This release trains with no schedule.name 'x'.",
            "schedule.name", "one of: cosine, poly, one_cycle, plateau, step, constant", "Fork",
        ),
        (
            "optimization", {"losses": [LossSpec(name="x", weight=1.0, params={})]},
            "This release trains with no losses.name 'x'.", "losses.name",
            "one of: cross_entropy, bce, dice, jaccard, focal, lovasz, tversky, mcc", "Fork",
        ),
    ],
)  # fmt: skip
def test_a_stored_name_that_is_not_known_any_more(
    part: str, change: dict[str, Any], message: str, field: str, accepted: str, remedy: str
):
    with pytest.raises(InvalidRequest) as caught:
        check_known(changed(PLAIN, {part: change}))
    assert (caught.value.message, caught.value.errors) == (message, {"spec": {part: {field: [accepted]}}})
    assert caught.value.remedy.split()[0] == remedy


def test_a_stored_optimizer_may_be_of_a_plug_in_and_must_be_known_otherwise():
    check_known(changed(PLAIN, {"optimization": {"optimizer": "my.sgd"}}))
    with pytest.raises(InvalidRequest, match="no optimizer 'magic'") as caught:
        check_known(changed(PLAIN, {"optimization": {"optimizer": "magic"}}))
    assert caught.value.errors["spec"]["optimization"]["optimizer"][0].startswith(
        "one of: adamw, adam, sgd, "
    )
    assert caught.value.remedy == (
        "Fork the run with another one, or train it with the release that it was made for."
    )


@pytest.mark.parametrize("version", [0, SPEC_VERSION + 1, "1", None, 1.0, True, "x" * 30])
def test_a_version_that_is_none_is_told_with_those_that_are(version: Any):
    with pytest.raises(NewerRecord) as caught:
        read_spec({**PLAIN.to_dict(), "version": version})
    told = f"it has version {str(version)[:20]}, and this Trainyard reads 1 to {SPEC_VERSION}"
    assert told in (caught.value.message, str(caught.value)) or told in str(caught.value.args)


def test_a_spec_that_is_not_valid_says_so_and_where():
    with pytest.raises(InvalidRequest) as caught:
        load_spec({**PLAIN.to_dict(), "epochs": 0})
    assert caught.value.message == "The training spec is not valid."
    assert caught.value.errors["spec"].keys() == {"epochs"}


def test_names_that_no_file_has_are_told_with_those_that_have_one():
    with pytest.raises(InvalidRequest) as caught:
        EXPERIMENTS.read("none")
    assert caught.value.message == "No experiment is called 'none'."
    assert caught.value.errors == {"experiment": [f"one of: {', '.join(EXPERIMENTS.names())}"]}
    with pytest.raises(InvalidRequest) as caught:
        EXPERIMENTS.compose({"augmentation": {"preset": "nothing"}})
    assert caught.value.message == "No augmentation is called 'nothing'."
    assert caught.value.errors == {
        "spec.augmentation.preset": [f"one of: {', '.join(EXPERIMENTS.presets())}"]
    }


def test_transforms_keep_the_preset_that_has_them_and_are_custom_otherwise():
    preset, other = EXPERIMENTS.presets()[:2]
    transforms = EXPERIMENTS.layered({"augmentation": {"preset": preset}})["augmentation"]["transforms"]
    given = {"preset": preset, "transforms": transforms}
    assert EXPERIMENTS.layered({"augmentation": given}) == {"augmentation": given}
    for asked in ({**given, "preset": other}, {**given, "preset": "nothing"}, {**given, "preset": 3}):
        assert EXPERIMENTS.layered({"augmentation": asked})["augmentation"]["preset"] == "custom"
    bare = EXPERIMENTS.layered({"augmentation": {"transforms": transforms}})
    assert bare == {"augmentation": {"preset": "custom", "transforms": transforms}}
    for left in ({}, {"augmentation": {}}, {"augmentation": {"device": "cpu"}}, {"augmentation": 3}):
        assert EXPERIMENTS.layered(left) == left


def test_a_file_of_configurations_is_read_anew_when_it_has_changed(tmp_path: Path):
    (tmp_path / "experiment").mkdir()
    file = tmp_path / "experiment" / "a.yaml"
    file.write_text("epochs: 3\n", encoding="utf-8")
    experiments = Experiments(tmp_path)
    assert experiments.names() == ["a"]
    assert experiments.read("a") == {"epochs": 3}
    experiments.read("a")["epochs"] = 5
    assert experiments.read("a") == {"epochs": 3}
    file.write_text("epochs: 30\nname: é\n", encoding="utf-8")
    assert experiments.read("a") == {"epochs": 30, "name": "é"}
    file.write_text("", encoding="utf-8")
    assert experiments.read("a") == {}


def test_a_varied_spec_answers_for_its_changes_alone():
    old = changed(PLAIN, {"checkpoints": {"monitor": "val_map"}, "optimization": {"optimizer": "magic"}})
    assert EXPERIMENTS.vary(old, {"epochs": 3}).epochs == 3
    varied = EXPERIMENTS.vary(old, {"optimization": {"learning_rate": 0.5}})
    assert (varied.optimization.learning_rate, varied.optimization.optimizer) == (0.5, "magic")
    with pytest.raises(InvalidRequest) as caught:
        EXPERIMENTS.vary(old, {"optimization": {"learning_rate": -1, "optimizer": "magic"}, "epochs": 3})
    assert caught.value.errors["spec"].keys() == {"optimization"}
    assert caught.value.errors["spec"]["optimization"].keys() == {"learning_rate", "optimizer"}
    with pytest.raises(InvalidRequest, match="the task segmentation has no 'val_map'"):
        EXPERIMENTS.vary(old, {"checkpoints": {"keep_last": 1}})
