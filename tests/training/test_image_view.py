"""Transforms of `augmentation.validation`: all but training sees images through them, and alike each time."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.training.classification.conftest import draw_labelled, tiny
from tests.training.conftest import Run, tiny_spec
from trainyard.errors import InvalidRequest
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TransformSpec
from trainyard.storage.files import RunFolder
from workers.prepared.version import PreparedDataset
from workers.training.data.image_view import as_it_is, told_view, view_as_told, view_of, viewed
from workers.training.tasks.classification.data.pictures import VariedPictures, plain_pictures
from workers.training.tasks.classification.prediction import model_files
from workers.training.tasks.model_file import open_model
from workers.training.tasks.segmentation.data.squares import plain_squares
from workers.training.tasks.segmentation.prediction.class_maps import as_trained
from workers.training.tasks.segmentation.prediction.predictor import load_predictor

DARKER = {"name": "RandomGamma", "params": {"p": 1, "gamma_limit": [200, 200]}}
CLAHE = {"name": "CLAHE", "params": {"p": 1, "clip_limit": [4, 4], "tile_grid_size": [4, 4]}}
SEVERAL: list[dict[str, Any]] = [
    DARKER,
    CLAHE,
    {"name": "Blur", "params": {"p": 1, "blur_limit": [3, 3]}},
    {"name": "GaussianBlur", "params": {"p": 1, "blur_limit": [5, 5], "sigma_limit": [1, 1]}},
    {"name": "ToGray", "params": {"p": 1}},
    {"name": "Sharpen", "params": {"p": 1, "alpha": [0.5, 0.5], "lightness": [1, 1]}},
    {
        "name": "RandomBrightnessContrast",
        "params": {"p": 1, "brightness_limit": [0.2, 0.2], "contrast_limit": [0, 0]},
    },
    {"name": "ImageCompression", "params": {"p": 1, "quality_range": [60, 60]}},
    {
        "name": "HueSaturationValue",
        "params": {"p": 1, "hue_shift_limit": [9, 9], "sat_shift_limit": [5, 5], "val_shift_limit": [0, 0]},
    },
]


def image(size: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (size, size + 8, 3), dtype=np.uint8)


@pytest.mark.parametrize("transform", SEVERAL, ids=lambda one: one["name"])
def test_an_image_becomes_the_same_each_time(transform: dict[str, Any]):
    transforms = [TransformSpec(**transform)]
    view = view_of(transforms)
    seen = view(image())
    assert seen.shape == image().shape
    assert (seen != image()).any()
    again = [
        view(image()),
        pickle.loads(pickle.dumps(view))(image()),  # noqa: S301 - made here
        view_as_told(told_view(transforms))(image()),
    ]
    assert all(np.array_equal(one, seen) for one in again)


def test_without_any_an_image_is_as_it_is(prepared: Path):
    assert view_of([]) is as_it_is
    assert view_as_told("[]") is as_it_is
    opened = PreparedDataset(prepared)
    assert viewed(opened, []) is opened


def asked(transform: dict[str, Any], **over: Any) -> None:
    Experiments(CONFIGS).compose({**over, "augmentation": {"validation": [transform]}})


@pytest.mark.parametrize(
    ("transform", "said"),
    [
        (
            {"name": "HorizontalFlip", "params": {"p": 1}},
            "cannot be HorizontalFlip: it moves pixels",
        ),
        ({"name": "GaussNoise", "params": {"p": 1}}, "cannot be GaussNoise"),
        ({"name": "CLAHE", "params": {"clip_limit": [4, 4]}}, "p must be given as 1"),
        ({"name": "CLAHE", "params": {"p": 0.5, "clip_limit": [4, 4]}}, "p must be given as 1"),
        ({"name": "CLAHE", "params": {"p": 1}}, r"clip_limit must be given as one number twice, as \[4, 4\]"),
        (
            {"name": "CLAHE", "params": {"p": 1, "clip_limit": [1, 4]}},
            "clip_limit must be given as one number",
        ),
        ({"name": "CLAHE", "params": {"p": 1, "clip_limit": 4}}, "clip_limit must be given as one number"),
        ({"name": "CLAHE", "params": {"p": 1, "clip_limit": [4, 4], "x": 1}}, "x is no parameter of CLAHE"),
        ({"name": "RandomGamma", "params": {"p": 1, "gamma_limit": [0, 0]}}, "gamma_limit must be"),
    ],
)
def test_what_differs_from_time_to_time_is_refused(transform: dict[str, Any], said: str):
    with pytest.raises(InvalidRequest, match=said) as raised:
        asked(transform)
    assert list(raised.value.errors["spec"]["augmentation"]) == ["validation"]


def test_it_cannot_be_baked_into_a_file():
    with pytest.raises(InvalidRequest, match="cannot be baked"):
        asked(CLAHE, export={"with_preprocessing": True})


def test_validation_sees_through_it_and_training_does_not(tmp_path: Path):
    opened = PreparedDataset(draw_labelled(tmp_path, train=6, val=3))
    spec = Experiments(CONFIGS).compose(tiny(augmentation={"preset": "none", "validation": [DARKER]}))
    val = [sample for sample in opened.samples if sample.split == "val"]
    plain, dark = (
        plain_pictures(opened, val, one)[0, 0]["image"].float().mean()
        for one in (Experiments(CONFIGS).compose(tiny()), spec)
    )
    assert dark < 0.7 * plain
    trained = VariedPictures(opened, val, spec)[0, 0]["image"].float().mean()
    assert trained == pytest.approx(float(plain), rel=0.1)


@pytest.mark.parametrize("fit", ["stretch", "crop"])
def test_masks_stay_where_they_are(prepared: Path, fit: str):
    opened = PreparedDataset(prepared)
    over = {"data": {"image_size": 32, "fit": fit}}
    spec = Experiments(CONFIGS).compose(tiny_spec(**over, augmentation={"validation": [DARKER]}))
    plain = Experiments(CONFIGS).compose(tiny_spec(**over))
    val = [sample for sample in opened.samples if sample.split == "val"]
    one, other = (plain_squares(opened, val, each)[0, 1] for each in (spec, plain))
    assert (one["mask"] == other["mask"]).all()
    assert one["image"].float().mean() < 0.7 * other["image"].float().mean()


@pytest.mark.thorough
def test_report_file_and_prediction_see_what_validation_saw(run_folder: Path, prepared: Path, tmp_path: Path):
    run = Run(run_folder, prepared, finishes=True)
    run.fit(epochs=1, spec=tiny_spec(export={"onnx": True}, augmentation={"validation": [DARKER, CLAHE]}))
    folder = RunFolder(run.folder)
    card = json.loads((folder.path / "export" / "card.json").read_text())
    assert card["input"]["seen_through"] == [DARKER, CLAHE]
    facts = onnxruntime.InferenceSession(folder.path / "export" / "model.onnx").get_modelmeta()
    assert json.loads(facts.custom_metadata_map["trainyard.view"]) == [DARKER, CLAHE]
    answers = [
        as_trained(load_predictor(path), image())
        for path in (folder.last_checkpoint, folder.path / "export" / "model.onnx")
    ]
    assert (answers[0] == answers[1]).mean() > 0.99
    seen = view_of([TransformSpec(**DARKER), TransformSpec(**CLAHE)])(image())
    assert np.array_equal(load_predictor(folder.last_checkpoint).view(image()), seen)


@pytest.mark.thorough
def test_a_classifier_s_files_see_so_too(run_folder: Path, tmp_path: Path):
    run = Run(run_folder, draw_labelled(tmp_path / "set", train=12, val=9), finishes=True)
    run.fit(epochs=1, spec=tiny(export={"onnx": True}, augmentation={"validation": [DARKER]}))
    folder = RunFolder(run.folder)
    answers = []
    for path in (folder.last_checkpoint, folder.path / "export" / "model.onnx"):
        model = open_model(path)
        predictor = model_files.predictor_of(model)
        answers.append(predictor.predict([image()])[0].probabilities)
        assert predictor.view(image()).mean() < 0.8 * image().mean()
    assert np.allclose(*answers, atol=1e-3)
