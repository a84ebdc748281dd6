"""Each architecture trains a step at its smallest legal size and exports what it has learnt."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tests.training.conftest import CLASSES, CONFIGS, TINY_ENCODER, Run, draw_set, tiny_spec
from trainyard.errors import ExportMismatch
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from trainyard.tasks.registry import rounded_size
from trainyard.tasks.segmentation import ARCHITECTURES
from workers.prepared.version import PreparedDataset
from workers.training.checkpoints.files import ModelCard
from workers.training.network.normalization import HALF
from workers.training.tasks.segmentation.data.squares import plain_squares
from workers.training.tasks.segmentation.export.onnx_files import ExportData, export_run
from workers.training.tasks.segmentation.export.parity import MAX_DIFFERENCE
from workers.training.tasks.segmentation.network.networks import empty_network

OF_EACH_KIND = ("PSPNet", "DeepLabV3Plus", "Segformer", "DPT")
"""One of fixed size, dilated, with attention, over a transformer; `make fuzz` has all. A Unet, of a plain
decoder, is what other tests export."""


@pytest.fixture(scope="module")
def three_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One legal batch for every architecture."""
    return draw_set(tmp_path_factory.mktemp("three"), train=2, val=1)


def _encoder(name: str) -> str:
    return "tu-test_vit" if name == "DPT" else TINY_ENCODER


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    "name",
    [name if name in OF_EACH_KIND else pytest.param(name, marks=pytest.mark.long) for name in ARCHITECTURES],
)
def test_trains_a_step_and_exports(name: str, run_folder: Path, three_images: Path) -> None:
    size = rounded_size(name, 32)
    spec = tiny_spec(
        model={"architecture": name, "encoder": _encoder(name)},
        data={"image_size": size, "batch_size": 2},
        export={"onnx": True},
    )
    result = Run(run_folder, three_images).fit(spec=spec)

    assert (result.status, result.step) == ("completed", 1)
    assert result.export is not None
    assert result.export["max_difference"] <= MAX_DIFFERENCE
    file = RunFolder(run_folder).onnx
    assert sorted(path.name for path in file.parent.iterdir()) == ["card.json", "model.onnx"]
    dynamic = ARCHITECTURES[name].dynamic_size
    assert result.export["dynamic_axes"] == (["batch", "height", "width"] if dynamic else ["batch"])
    _check_by_hand(file, size + (2 * ARCHITECTURES[name].size_multiple if dynamic else 0))


def _check_by_hand(file: Path, size: int) -> None:
    """Open the file as a client would, at a size that the exporter did not try."""
    facts = {entry.key: entry.value for entry in onnx.load(str(file)).metadata_props}
    assert facts["trainyard.classes"] == '["ground", "disc", "box"]'
    assert facts["trainyard.channels"] == "RGB"
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"image": np.zeros((3, 3, size, size), np.float32)})
    assert logits.shape == (3, 3, size, size)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["PSPNet", pytest.param("UPerNet", marks=pytest.mark.long)])
def test_wrong_graphs_are_found(
    name: str, three_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These are fixed in size because a dynamic graph of them computes something else."""
    honest = ARCHITECTURES[name]
    claimed = type(honest)(**{**vars(honest), "dynamic_size": True})
    monkeypatch.setitem(ARCHITECTURES, name, claimed)
    spec = Experiments(CONFIGS).compose(
        tiny_spec(model={"architecture": name, "encoder": TINY_ENCODER}, data={"image_size": 64})
    )
    torch.manual_seed(0)
    card = ModelCard(run_id="run-0123456789ab", spec=spec, classes=CLASSES, rule=HALF)
    dataset = PreparedDataset(three_images)
    squares = plain_squares(dataset, dataset.samples, spec)
    data = ExportData(val=squares, calibration=squares, content_hash="drawn")
    folder = RunFolder(tmp_path)
    with pytest.raises(ExportMismatch):
        export_run(
            empty_network(spec.model, 3).eval(), card, data, folder, epoch=1, evaluation={}, report=print
        )
    assert not folder.onnx.exists()
