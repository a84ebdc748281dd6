"""Validation on some of the images: which, that they stay the same, and which score is of how many."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.conftest import CLASSES, Run, draw_set, tiny_spec
from trainyard.runs.events import EpochEnd
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.prepared.version import PreparedDataset, PreparedWriter, Sample
from workers.training.data.spread_places import spread_places
from workers.training.engine.attempt import build_attempt
from workers.training.tasks.segmentation.data.val_subset import spread_subset

DATA: dict[str, Any] = {"image_size": 32, "batch_size": 4}


def most(images: int | None, **data: Any) -> dict[str, Any]:
    return tiny_spec(data={**DATA, "val_max_images": images, **data})


def made(*classes: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of six classes each image has."""
    return np.array([[index in one for index in range(6)] for one in classes])


def covered(present: Any, places: list[int]) -> int:
    return int(present[places].any(axis=0).sum())


def test_a_class_of_one_image_is_among_a_few_of_many() -> None:
    present = made(*[(0, 1)] * 500, (0, 5), *[(0,)] * 500, (2,))
    for number in (3, 4, 50):
        chosen = spread_places(present, number)
        assert len(set(chosen)) == len(chosen) == number
        assert covered(present, chosen) == 4


@pytest.mark.parametrize("seed", range(30))
def test_a_few_images_have_as_many_classes_as_so_few_can(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    present = numbers.random((9, 6)) < 0.3
    for number in range(1, 9):
        best = max(covered(present, list(places)) for places in combinations(range(9), number))
        found = covered(present, spread_places(present, number))
        assert found >= (best if number in (1, *range(4, 9)) else best - 1), "no search tries all pairs"


def test_a_greedy_choice_that_misses_a_class_is_mended() -> None:
    present = made((0, 1, 3, 4), (0, 1, 2), (3, 4, 5))
    assert sorted(spread_places(present, 2)) == [1, 2]


def test_classes_are_as_frequent_among_the_chosen_as_among_all() -> None:
    numbers = np.random.default_rng(3)
    present = numbers.random((400, 6)) < np.array([1, 0.6, 0.3, 0.3, 0.1, 0.02])
    chosen = spread_places(present, 80)
    assert present[chosen].mean(axis=0) == pytest.approx(present.mean(axis=0), abs=0.06)


def test_images_without_any_class_are_taken_last() -> None:
    assert spread_places(made((), (1,), (), (1, 2)), 2) in ([3, 1], [1, 3])
    assert len(spread_places(made((), ()), 1)) == 1


def samples_of(classes: list[tuple[int, ...]]) -> list[Sample]:
    return [
        Sample(name=str(place), split="val", height=1, width=1, image_offset=0, mask_offset=0, classes=one)
        for place, one in enumerate(classes)
    ]


def test_the_seed_decides_and_the_order_of_the_set_stays(prepared: Path) -> None:
    dataset = PreparedDataset(prepared)
    samples = samples_of([(place % 3,) for place in range(60)])
    drawn = [spread_subset(dataset, samples, 12, seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    for one in drawn:
        assert [int(sample.name) for sample in one] == sorted(int(sample.name) for sample in one)
        assert [sum(sample.classes == (index,) for sample in one) for index in range(3)] == [4, 4, 4]
    for number in (None, 60, 61):
        assert spread_subset(dataset, samples, number, 1) == samples


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_classes_that_an_older_index_lacks_are_read_from_the_masks(tmp_path: Path, task: str) -> None:
    with PreparedWriter(tmp_path / "set") as writer:
        for place in range(20):
            mask = np.full((4, 4), 1 if task == "multilabel" else 0, np.uint8)
            mask[0, 0] = {7: 2, 13: 4 if task == "multilabel" else 1}.get(place, mask[0, 0])
            writer.append(str(place), np.zeros((4, 4, 3), np.uint8), mask)
        splits = {str(place): "val" for place in range(20)}
        writer.finish(splits, CLASSES, (0.5, 0.5, 0.5), (0.3, 0.3, 0.3), "few")
    dataset = PreparedDataset(tmp_path / "set")
    dataset.task = task  # type: ignore[assignment]
    chosen = spread_subset(dataset, dataset.samples, 3, 0)
    assert {"7", "13"} < {sample.name for sample in chosen}


def scored_images(run: Run, spec: dict[str, Any], **over: Any) -> list[str]:
    """The images by which an attempt validates its epochs."""
    attempt = build_attempt(replace(run.job(spec=spec, resume=True), **over), lambda event: None)
    return [sample.name for sample in attempt.data.epoch_val.samples]


@pytest.mark.variants(1)
@pytest.mark.parametrize("fit", ["stretch", "crop"])
def test_the_best_checkpoint_is_scored_on_all_images(whole_run: Run, fit: str) -> None:
    result = whole_run.fit(epochs=3, spec=most(3, fit=fit))
    report = read_json(RunFolder(whole_run.folder).report_json)
    said, val = report["validation"], report["splits"]["val"]
    assert val["images"] == said["images"] == 8
    assert (said["images_per_epoch"], said["every_epochs"]) == (3, 1)
    assert (said["epoch"], said["miou"]) == (result.best_epoch, val["miou"])
    assert said["miou_in_training"] == pytest.approx(result.best["val_miou"])
    assert said["miou"] != pytest.approx(said["miou_in_training"], abs=1e-6)
    (notice,) = whole_run.notices
    assert "3 of the 8 validation images" in notice.message
    assert f"{said['miou']:.4f}" in notice.message
    assert f"{result.best['val_miou']:.4f}" in notice.message
    assert notice.message in RunFolder(whole_run.folder).report_html.read_text()


def test_nothing_is_said_where_all_images_are_validated(whole_run: Run) -> None:
    result = whole_run.fit(epochs=1, spec=most(8))
    said = read_json(RunFolder(whole_run.folder).report_json)["validation"]
    assert (said["images"], said["images_per_epoch"]) == (8, 8)
    assert said["miou"] == pytest.approx(result.best["val_miou"], abs=1e-6)
    assert whole_run.notices == []


def test_a_resumed_run_validates_on_the_same_images(run: Run) -> None:
    spec = most(3)
    run.fit(epochs=3, spec=spec)
    unbroken = [event.metrics["val_loss"] for event in run.of(EpochEnd)]
    run.fit(epochs=3, spec=spec, signals={9: Signals(drain=True)})
    found = [event.metrics["val_loss"] for event in run.of(EpochEnd)]
    assert len(scored_images(run, spec)) == 3
    run.fit(epochs=3, spec=spec, resume=True)
    assert found + [event.metrics["val_loss"] for event in run.of(EpochEnd)] == unbroken


def test_smaller_batches_after_a_lack_of_memory_change_nothing(run: Run) -> None:
    names = [scored_images(run, most(5, batch_size=size)) for size in (2, 4)]
    assert names[0] == names[1]
    assert len(set(names[0])) == 5


def test_of_tiled_images_whole_ones_are_counted(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", draw_set(tmp_path / "set", train=4, val=6, size=80))
    names = scored_images(run, most(2, fit="crop"))
    assert len(names) == 2 * 9
    assert len(set(names)) == 2
