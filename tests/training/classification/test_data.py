"""How labelled images become batches: squares, order, weights and blends."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.classification.conftest import NAMES, SEVERAL, draw_labelled, tiny
from trainyard.errors import BadDataset
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import PreparedDataset, Sample
from workers.training.data.loaders import Batch
from workers.training.tasks.classification.data.batches import ClassificationData
from workers.training.tasks.classification.data.crops import plain_square, random_part
from workers.training.tasks.classification.data.pictures import load
from workers.training.tasks.classification.data.sampling import balanced_order, spread_subset
from workers.training.tasks.classification.labels.class_weights import class_weights
from workers.training.tasks.classification.objective import ClassificationObjective

EXPERIMENTS = Experiments(CONFIGS)


def composed(**over: object) -> TrainingSpec:
    return EXPERIMENTS.compose(tiny(**over))


def samples(labels: list[tuple[int, ...]]) -> list[Sample]:
    return [
        Sample(name=str(n), split="train", height=1, width=1, image_offset=0, mask_offset=0, classes=classes)
        for n, classes in enumerate(labels)
    ]


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "crop"])
def test_validation_sees_an_image_the_same_every_time(fit: str, labelled: Path) -> None:
    data = ClassificationData(PreparedDataset(labelled), composed(data={"fit": fit}), for_gpu=False, cores=1)
    first, again = (data.val[epoch, 0]["image"] for epoch in (0, 5))
    assert torch.equal(first, again)  # type: ignore[arg-type]
    trained, other = (data.train[epoch, 0]["image"] for epoch in (0, 1))
    assert trained.shape == (32, 32, 3)  # type: ignore[attr-defined]
    assert not torch.equal(trained, other)  # type: ignore[arg-type]
    assert torch.equal(trained, data.train[0, 0]["image"])  # type: ignore[arg-type]


def test_the_middle_is_seen_of_a_cropped_image() -> None:
    image = np.zeros((80, 200, 3), np.uint8)
    image[5:75, 65:135] = 200
    assert (plain_square(image, 32, "crop") == 200).all()


def test_random_parts_have_the_least_area_and_lie_within() -> None:
    image = np.arange(60 * 90 * 3, dtype=np.uint32).reshape(60, 90, 3)
    for seed in range(50):
        part = random_part(image, 0.3, np.random.default_rng(seed))  # type: ignore[arg-type]
        assert 0.28 * 60 * 90 <= part.shape[0] * part.shape[1] <= 60 * 90
        assert 0.7 < part.shape[1] / part.shape[0] < 1.4
    narrow = random_part(np.zeros((10, 300, 3), np.uint8), 1.0, np.random.default_rng(0))
    assert narrow.shape == (10, 13, 3)


def test_balanced_draws_have_as_many_of_each_class() -> None:
    labels = [(0,)] * 20 + [(1,)] * 3 + [(3,)]
    order = balanced_order(labels, 5, np.random.default_rng(0))
    drawn = [labels[place][0] for place in order]
    assert len(order) == 24
    assert [drawn.count(index) for index in range(5)] == [8, 8, 0, 8, 0]
    of_rare = [place for place in order if labels[place] == (1,)]
    assert all(of_rare.count(place) in (2, 3) for place in (20, 21, 22))


def test_images_without_labels_are_never_drawn_in_balance() -> None:
    order = balanced_order([(), (0, 1), (1,), ()], 2, np.random.default_rng(0))
    assert set(order) == {1, 2}


def test_a_subset_has_each_class_in_its_part() -> None:
    of_all = samples([(n % 10 == 0,) for n in range(100)])
    chosen = spread_subset(of_all, 20, seed=1)
    assert sorted(chosen, key=lambda one: int(one.name)) == chosen
    assert sum(one.classes == (1,) for one in chosen) == 2
    assert spread_subset(of_all, None, seed=1) is of_all
    assert [one.name for one in spread_subset(of_all, 20, seed=2)] != [one.name for one in chosen]


def test_weights_are_what_each_class_lacks(labelled: Path) -> None:
    prepared = PreparedDataset(labelled)
    optimization = replace(composed().optimization, class_weighting="auto")
    some = samples([(0,)] * 6 + [(1,)] * 2 + [(0,)])
    assert class_weights(optimization, prepared, some) == pytest.approx([9 / 3 / 7, 1.5, 0.0])
    many = samples([(0,)] * 1000 + [(1,)])
    assert class_weights(optimization, prepared, many) == pytest.approx([1001 / 3000, 50.0, 0.0])
    prepared.task = "multilabel"
    assert class_weights(optimization, prepared, samples([(0,), (0, 1), (0,)])) == pytest.approx([0, 2, 0])


def batch_of(labelled: Path, spec: TrainingSpec) -> tuple[ClassificationObjective, Batch]:
    prepared = PreparedDataset(labelled)
    data = ClassificationData(prepared, spec, for_gpu=False, cores=1)
    images, labels = load(data.val, range(4))
    torch.manual_seed(0)
    objective = ClassificationObjective(spec, NAMES, None)
    return objective, {"image": images, "label": labels, "name": list("abcd")}  # type: ignore[typeddict-unknown-key]


def test_mixup_blends_images_and_labels_alike(labelled: Path) -> None:
    objective, batch = batch_of(labelled, composed(augmentation={"mixup_alpha": 1.0}))
    mixed = objective.varied(batch)  # type: ignore[arg-type]
    labels = objective.truth(mixed)  # type: ignore[arg-type]
    share = float(labels[1, batch["label"][1]])  # type: ignore[typeddict-item]
    expected = share * batch["image"].float() + (1 - share) * batch["image"].flip(0).float()
    assert torch.allclose(mixed["image"], expected, atol=1e-3)
    assert torch.allclose(labels.sum(dim=1), torch.ones(4))


def test_cutmix_pastes_what_the_label_says(labelled: Path) -> None:
    objective, batch = batch_of(labelled, composed(augmentation={"cutmix_alpha": 1.0}))
    mixed = objective.varied(batch)  # type: ignore[arg-type]
    own = (mixed["image"] == batch["image"]).all(dim=3)[1].float().mean()
    share = float(objective.truth(mixed)[1, batch["label"][1]])  # type: ignore[arg-type,typeddict-item]
    assert own == pytest.approx(share, abs=0.01)
    assert mixed["image"].dtype == torch.uint8


def test_validation_is_not_blended(labelled: Path) -> None:
    objective, batch = batch_of(labelled, composed())
    assert objective.varied(batch) is batch  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [(), (0, 1), (7,)])
def test_labels_that_are_none_are_told_of(wrong: tuple[int, ...], labelled: Path) -> None:
    prepared = PreparedDataset(labelled)
    prepared.samples[3] = replace(prepared.samples[3], classes=wrong)
    with pytest.raises(BadDataset, match=prepared.samples[3].name):
        ClassificationData(prepared, composed(), for_gpu=False, cores=1)


def test_an_image_may_have_no_label_of_several(tmp_path: Path) -> None:
    prepared = PreparedDataset(draw_labelled(tmp_path / "set", 6, 4, task="multilabel"))
    assert any(not sample.classes for sample in prepared.samples)
    data = ClassificationData(prepared, composed(**SEVERAL), for_gpu=False, cores=1)
    _, labels = load(data.val, range(4))
    assert labels.shape == (4, 3)
    assert labels.dtype == torch.float32
