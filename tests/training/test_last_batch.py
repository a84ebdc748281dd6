"""The last batch of an epoch, where it is too small for the network."""

from pathlib import Path

import pytest

from tests.training.conftest import Run, draw_set, tiny_spec
from trainyard.errors import InvalidModel


def spec(epochs: int = 1) -> dict:
    """At 32 px the last maps have one value: of a batch of one, batch norm makes nothing of it."""
    data = {"image_size": 32, "batch_size": 4}
    return tiny_spec(epochs=epochs, data=data, export={"onnx": False})


@pytest.mark.parametrize(
    ("images", "steps", "is_said"), [(5, 1, True), (6, 2, False), (8, 2, False), (3, 1, False)]
)
def test_one_that_cannot_be_trained_on_is_left_out(
    images: int, steps: int, is_said: bool, run_folder: Path, tmp_path: Path
) -> None:
    run = Run(run_folder, draw_set(tmp_path / "set", train=images, val=1))
    result = run.fit(spec=spec())
    assert (result.status, result.step) == ("completed", steps)
    said = [
        notice
        for notice in run.notices
        if "It is left out, with other images in each epoch" in notice.message
    ]
    assert len(said) == is_said


def test_a_resumed_run_leaves_it_out_too(run_folder: Path, tmp_path: Path) -> None:
    run = Run(run_folder, draw_set(tmp_path / "set", train=9, val=1))
    assert run.fit(spec=spec()).step == 2
    assert run.fit(spec=spec(epochs=2), epochs=2, resume=True).step == 4


def test_a_set_of_one_image_is_refused(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="cannot train on batches of 1 images"):
        Run(run_folder, draw_set(tmp_path / "set", train=1, val=1)).fit(spec=spec())
