"""Report and export of a run on crops: whole images are counted and shown, and each pixel is seen once."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.training.conftest import CLASSES, CONFIGS, Run, draw_set, tiny_spec
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.prepared.version import PreparedDataset, PreparedWriter
from workers.training.checkpoints.files import ModelCard
from workers.training.network.normalization import HALF
from workers.training.tasks.segmentation.data.crops import tile_corners
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, plain_squares
from workers.training.tasks.segmentation.export.parity import (
    SCORED_LEAST,
    SCORED_PIXELS,
    miou_of,
    scored_places,
)
from workers.training.tasks.segmentation.labels.metrics import no_counts, pairs_of_classes, scores_of
from workers.training.tasks.segmentation.report.evaluation import evaluate
from workers.training.tasks.segmentation.report.pixels import mean
from workers.training.tasks.segmentation.report.whole_images import WholeImages

SIDE = 32
SIZES = [(80, 88), (32, 32), (20, 90), (33, 64), (64, 64), (10, 12)]
CROPS: dict[str, Any] = {"image_size": SIDE, "batch_size": 4, "fit": "crop"}


@pytest.mark.parametrize(("height", "width", "tiles"), [(1024, 1024, 4), (512, 1024, 2), (1025, 512, 3)])
def test_tiles_do_not_overlap(height: int, width: int, tiles: int) -> None:
    assert len(tile_corners(height, width, 512)) == tiles


@pytest.fixture
def sizes(tmp_path: Path) -> PreparedDataset:
    """Validation images of many sizes, each in one colour per class."""
    numbers = np.random.default_rng(1)
    with PreparedWriter(tmp_path / "sizes") as writer:
        for place, size in enumerate(SIZES):
            mask = numbers.integers(0, 3, size, dtype=np.uint8)
            writer.append(f"image-{place}", np.stack([mask * 80] * 3, axis=-1), mask)
        splits = {f"image-{place}": "val" for place in range(len(SIZES))}
        writer.finish(splits, CLASSES, (0.5, 0.5, 0.5), (0.3, 0.3, 0.3), "sizes")
    return PreparedDataset(tmp_path / "sizes")


def crops(prepared: PreparedDataset) -> SegmentationDataset:
    return plain_squares(prepared, prepared.samples, Experiments(CONFIGS).compose(tiny_spec(data=CROPS)))


def some_right(images: Tensor) -> Tensor:
    """Logits that are right but for the third class, which is taken for the second."""
    value = images[..., 0] // 80
    return torch.stack([(value == 0), (value >= 1), torch.zeros_like(value)], dim=1).float()


def test_squares_are_put_together_as_the_images_they_are_of(sizes: PreparedDataset) -> None:
    squares = crops(sizes)
    whole = WholeImages(squares)
    assert [whole.name(image) for image in range(len(whole))] == [sample.name for sample in sizes.samples]
    assert squares.images == len(whole) == len(SIZES)
    assert Counter(whole.of_square)[0] == 9
    for image, sample in enumerate(sizes.samples):
        picture = np.zeros(whole.size(image), np.uint8)
        for place in whole.places(image):
            mask = squares[0, place]["mask"]
            assert isinstance(mask, Tensor)
            whole.paste(picture, place, mask.numpy())
        assert np.array_equal(picture, sizes.mask(sample))


@pytest.mark.parametrize("batch", [1, 4, 64])
def test_scores_are_of_whole_images(sizes: PreparedDataset, batch: int) -> None:
    squares = crops(sizes)
    found = evaluate(some_right, squares, 3, batch=batch, device=torch.device("cpu"), seed=0)
    assert found.images == len(SIZES)
    assert found.labelled_pixels == sum(height * width for height, width in SIZES)
    assert sorted(one.index for one in found.worst) == list(range(len(SIZES)))
    assert sorted(one.index for one in found.random) == list(range(len(SIZES)))
    for one in (*found.worst, *found.random):
        mask = torch.from_numpy(np.array(sizes.mask(sizes.samples[one.index]))).long()[None]
        counts = pairs_of_classes(mask.clamp(max=1), mask, 3)
        assert one.miou == pytest.approx(mean(list(scores_of(counts)[1])))


def test_batches_are_of_squares_of_several_images(sizes: PreparedDataset) -> None:
    given: list[int] = []

    def forward(images: Tensor) -> Tensor:
        given.append(len(images))
        return some_right(images)

    squares = crops(sizes)
    evaluate(forward, squares, 3, batch=4, device=torch.device("cpu"), seed=0)
    assert given == [4] * (len(squares) // 4) + [len(squares) % 4] * (len(squares) % 4 > 0)


@pytest.mark.variants(1)
@pytest.mark.parametrize("fit", ["crop", "stretch", "letterbox"])
def test_report_and_export_count_images(tmp_path: Path, fit: str) -> None:
    run = Run(tmp_path / "run", draw_set(tmp_path / "set", train=4, val=5, size=80))
    quick = {"architecture": "PSPNet"}  # to export
    spec = tiny_spec(model=quick, data={**CROPS, "fit": fit}, export={"onnx": True})
    result = run.fit(epochs=1, spec=spec)
    folder = RunFolder(run.folder)
    report = read_json(folder.report_json)
    val = report["splits"]["val"]
    assert val["images"] == report["validation"]["images"] == 5
    assert result.export is not None
    assert result.export["val_images"] == 5
    assert result.export["val_miou"] == pytest.approx(val["miou"], abs=1e-4)
    card = read_json(folder.export_card)
    assert (card["metrics"]["val"]["images"], card["files"][0]["val_images"]) == (5, 5)
    names = [f"drawn-{place:02d}" for place in range(4, 9)]
    for shown in (val["worst"], val["random"]):
        assert sorted(listed["name"] for listed in shown) == names
        assert len({listed["figure"] for listed in shown}) == 5
    assert ">5 images<" in folder.report_html.read_text()
    assert val["miou"] == pytest.approx(result.best["val_miou"], abs=1e-6)


class _Many:
    """A split of squares that nobody loads."""

    def __init__(self, count: int, side: int) -> None:
        self.side = side
        self._count = count

    def __len__(self) -> int:
        return self._count


def test_no_more_squares_are_compared_than_are_worth_it() -> None:
    for count, side, places in ((10, 256, 10), (5000, 256, 200), (5000, 512, 50), (5000, 2048, SCORED_LEAST)):
        chosen = scored_places(_Many(count, side))  # type: ignore[arg-type]
        assert len(set(chosen)) == len(chosen) == places
        assert (chosen[0], chosen[-1]) == (0, count - 1)
        assert len(chosen) * side**2 <= max(SCORED_PIXELS, SCORED_LEAST * side**2)


def test_parity_is_computed_in_batches(sizes: PreparedDataset) -> None:
    squares, spec = crops(sizes), Experiments(CONFIGS).compose(tiny_spec(data=CROPS))
    card = ModelCard(run_id="run-0123456789ab", spec=spec, classes=CLASSES, rule=HALF)
    given: list[int] = []

    def predict(images: Tensor) -> Tensor:
        given.append(len(images))
        return some_right(images).argmax(dim=1)

    found = miou_of(predict, squares, card)
    counts = no_counts(3, "multiclass")
    for sample in sizes.samples:
        mask = torch.from_numpy(np.array(sizes.mask(sample))).long()[None]
        counts += pairs_of_classes(mask.clamp(max=1), mask, 3)
    assert found == pytest.approx(mean(list(scores_of(counts)[1])))
    assert set(given[:-1]) == {4}
    assert sum(given) == len(squares)
