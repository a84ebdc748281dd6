"""Pictures of validation images while a run trains, for every task."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.classification import conftest as labelled
from tests.training.conftest import Run, draw_set, tiny_spec
from tests.training.detection import conftest as objects
from trainyard.errors import StorageUnavailable
from trainyard.storage.epoch_overlays import KEPT, overlay_files
from trainyard.storage.files import RunFolder
from workers.training.epochs import epoch_overlays
from workers.training.tasks.detection.labels.batch_picture import batch_picture
from workers.training.tasks.detection.network.detector import Detections, Target

MOST_BYTES = 200_000


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch_overlays, "SHARE", float("inf"))


TASKS: dict[str, tuple[Callable[..., Path], dict[str, Any]]] = {
    "segmentation": (draw_set, tiny_spec()),
    "classification": (labelled.draw_labelled, labelled.tiny()),
    "detection": (objects.draw_objects, objects.tiny()),
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_draws_what_it_sees(task: str, run_folder: Path, tmp_path: Path) -> None:
    draw, spec = TASKS[task]
    run = Run(run_folder, draw(tmp_path / "drawn", train=8, val=4))
    run.fit(epochs=2, spec=spec)

    pictures = dict(overlay_files(RunFolder(run.folder), 0))
    assert list(pictures) == [1, 2]
    for path in pictures.values():
        picture = cv2.imread(str(path))
        assert picture.shape[1] > 250
        assert picture.std() > 20
        assert path.stat().st_size < MOST_BYTES
    board = EventAccumulator(str(RunFolder(run.folder).tensorboard)).Reload()
    assert len(board.Images("validation")) == 2


def test_outlines_of_instances_are_drawn() -> None:
    images = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    boxes, labels = torch.tensor([[8.0, 8.0, 40.0, 40.0]]), torch.tensor([0])
    masks = torch.zeros(1, 64, 64, dtype=torch.uint8)
    masks[:, 8:40, 8:40] = 1
    target = Target(boxes=boxes, labels=labels, masks=masks)
    likely, unlikely = torch.tensor([0.9]), torch.tensor([0.1])
    where = torch.ones(1, 1, 28, 28)

    def inside(scores: torch.Tensor) -> list[int]:
        """Of the middle of the object, in the truth and in what is found: how bright it is."""
        found = Detections(boxes=boxes, labels=labels, scores=scores, masks=where)
        picture = batch_picture(images, [target], [found], objects.CLASSES)
        height, width = picture.shape[:2]
        return [int(picture[height // 3, round(width * part)].sum()) for part in (0.18, 0.68)]

    assert all(inside(likely))
    truth, found = inside(unlikely)
    assert truth
    assert not found


def test_the_newest_epochs_are_kept(run: Run) -> None:
    run.fit(epochs=KEPT + 3)

    assert [epoch for epoch, _ in overlay_files(RunFolder(run.folder), 0)] == [*range(4, KEPT + 4)]
    board = EventAccumulator(str(RunFolder(run.folder).tensorboard)).Reload()
    assert [one.step for one in board.Images("validation")] == [3 * epoch for epoch in (1, 2, 4, 8)]


def test_drawing_takes_little_of_the_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of epochs that are over at once the first one alone is drawn."""
    monkeypatch.setattr(epoch_overlays, "SHARE", 1e-9)
    monkeypatch.setattr(epoch_overlays, "LONGEST_PAUSE_S", 1e9)
    run.fit(epochs=3)

    assert [epoch for epoch, _ in overlay_files(RunFolder(run.folder), 0)] == [1]


def test_a_full_storage_ends_no_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StorageUnavailable("The storage is full.")

    monkeypatch.setattr(epoch_overlays, "write_picture", refuse)
    run.fit(epochs=2)

    assert not list(overlay_files(RunFolder(run.folder), 0))
