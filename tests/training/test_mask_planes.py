"""Sets with more than eight classes of which a pixel may have several: masks of several planes."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from tests.training.conftest import CONFIGS, Run, tiny_spec
from tests.training.multilabel_set import MANY, draw_many
from trainyard.errors import DatasetChanged, MaskIdOutOfRange
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.prepared.planes import bit_of, combinations, packed, planes_of, recoded
from workers.prepared.recorded import open_version
from workers.prepared.version import PreparedDataset
from workers.training.data.picture_files import write_picture
from workers.training.predict import main
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.tasks.segmentation.data.val_subset import spread_subset
from workers.training.tasks.segmentation.labels.class_weights import count_pixels
from workers.training.tasks.segmentation.labels.label_codec import reading_of
from workers.training.tasks.segmentation.labels.mask_values import check_mask_values
from workers.training.tasks.segmentation.prediction.class_maps import as_trained, by_resize
from workers.training.tasks.segmentation.prediction.predictor import load_predictor

TASK = "multilabel"
SPEC: dict[str, Any] = tiny_spec(model={"task": TASK}, optimization={"learning_rate": 0.01})


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_many(tmp_path_factory.mktemp("many") / "set", train=8, val=4)


def drawn(classes: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Where each class is, (C, 5, 7)."""
    return np.random.default_rng(seed).random((classes, 5, 7)) < 0.3


@pytest.mark.parametrize("classes", [1, 8, 9, 16, 255])
def test_planes_hold_what_is_put_into_them(classes: int) -> None:
    present, planes = drawn(classes), planes_of(classes)
    mask = packed(present)
    assert mask.shape == ((5, 7) if planes == 1 else (5, 7, planes))
    assert all((bit_of(mask, index, planes) == there).all() for index, there in enumerate(present))
    reading, masks = reading_of(TASK, classes), torch.from_numpy(mask)[None]
    truth = reading.truth(masks)
    assert torch.equal(truth[0] > 0, torch.from_numpy(present))
    assert torch.equal(reading.decide(2 * truth - 1), masks)
    assert reading.labelled(masks).shape == (1, 5, 7)
    counts = reading.count(masks, masks)
    assert counts[:, 1, 1].tolist() == present.sum(axis=(1, 2)).tolist()


def test_combinations_are_counted_and_recoded() -> None:
    present = drawn(11)
    mask = packed(present)
    numbers = (present * (1 << np.arange(11))[:, None, None]).sum(axis=0)
    expected = {int(number): int((numbers == number).sum()) for number in np.unique(numbers)}
    assert combinations(mask) == expected
    changed = recoded(mask.reshape(-1, 2), 2, {0: [10], 8: [0, 1]}, 9)
    assert (bit_of(changed, 0, 2) == present[10].reshape(-1)).all()
    assert (bit_of(changed, 8, 2) == (present[0] | present[1]).reshape(-1)).all()
    assert recoded(mask.reshape(-1, 2), 2, {0: [10]}, 3).tolist() == present[10].reshape(-1).tolist()


def test_a_bit_of_no_class_is_told() -> None:
    masks = np.zeros((2, 4, 4, 2), np.uint8)
    masks[:, 0, 0] = (255, 0b111)
    check_mask_values(masks, ["a", "b"], 11, TASK)
    masks[1, 1, 1, 1] = 0b1000
    with pytest.raises(MaskIdOutOfRange, match="mask of b"):
        check_mask_values(masks, ["a", "b"], 11, TASK)


def test_pixels_are_counted_and_images_chosen_by_class(many: Path) -> None:
    prepared = PreparedDataset(many)
    masks = [prepared.mask(sample) for sample in prepared.samples]
    expected = [sum(int(bit_of(mask, index, 2).sum()) for mask in masks) for index in range(len(MANY))]
    assert count_pixels(prepared, prepared.samples).tolist() == expected
    unknown = [replace(sample, classes=()) for sample in prepared.samples]
    chosen = spread_subset(prepared, unknown, 2, 0)
    assert any(bit_of(prepared.mask(sample), 10, 2).any() for sample in chosen)


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "crop"])
def test_every_variation_moves_all_planes_alike(many: Path, fit: str) -> None:
    """The classes that are drawn as copies of the first three stay so."""
    transforms = [
        {"name": "Affine", "params": {"rotate": [20, 40], "p": 1.0}},
        {"name": "Perspective", "params": {"p": 1.0}},
        {"name": "ElasticTransform", "params": {"p": 1.0}},
        {"name": "HorizontalFlip", "params": {"p": 1.0}},
    ]
    spec = Experiments(CONFIGS).compose(
        {**SPEC, "data": {**SPEC["data"], "fit": fit}, "augmentation": {"transforms": transforms}}
    )
    data = SegmentationData(PreparedDataset(many), spec)
    for place in range(4):
        item = data.train[1, place]["mask"]
        assert isinstance(item, torch.Tensor)
        mask = item.numpy()
        assert mask.shape == (32, 32, 2)
        for index, copies in ((0, (3, 4, 5, 6)), (1, (7, 8, 9)), (2, (10,))):
            assert all((bit_of(mask, copy, 2) == bit_of(mask, index, 2)).all() for copy in copies)


def test_a_run_learns_reports_exports_and_predicts(run_folder: Path, many: Path, tmp_path: Path) -> None:
    run = Run(run_folder, many, finishes=True)
    export = {"onnx": True, "with_preprocessing": True}
    result = run.fit(epochs=3, spec={**SPEC, "export": export, "data": {**SPEC["data"], "batch_size": 2}})
    assert result.best["val_miou"] > 0.1
    folder = RunFolder(run_folder)
    card = read_json(folder.path / "export" / "card.json")
    assert card["output"]["shape"] == "(N, H, W, 2)"
    report = read_json(folder.report_json)
    assert len(report["splits"]["val"]["classes"]) == len(MANY)
    session = onnxruntime.InferenceSession(str(folder.path / "export" / "model.onnx"))
    image = np.array(PreparedDataset(many).image(PreparedDataset(many).samples[0]))
    (classes,) = session.run(["classes"], {"image": image[None, :32, :32]})
    assert (classes.shape, classes.dtype) == ((1, 32, 32, 2), np.uint8)
    predictor = load_predictor(folder.best_checkpoint)
    assert as_trained(predictor, image).shape == by_resize(predictor, image).shape == (64, 64, 2)
    picture = tmp_path / "a.png"
    write_picture(image, picture)
    out = tmp_path / "out"
    assert main([str(folder.best_checkpoint), str(picture), "--out", str(out), "--tiles"]) == 0
    assert len(list(out.glob("a.*.png"))) == len(MANY) + 1


def test_the_device_varies_planes_as_well(run_folder: Path, many: Path) -> None:
    run = Run(run_folder, many)
    varied = {"preset": "light", "device": "training"}
    assert run.fit(epochs=1, spec={**SPEC, "augmentation": varied}).step > 0


def test_a_batch_is_found_for_it(run_folder: Path, many: Path) -> None:
    run = Run(run_folder, many)
    assert run.fit(epochs=1, spec={**SPEC, "data": {"image_size": 32, "batch_size": "auto"}}).step > 0


def test_planes_that_are_cut_short_are_told(many: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(many, tmp_path / "copy")
    file = copy / "mask_planes.bin"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DatasetChanged, match="cut short"):
        open_version(copy, None)
