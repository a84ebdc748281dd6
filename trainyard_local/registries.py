"""Networks and data sets by their names, for training loops and looks of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.utils.data import Dataset

from trainyard.catalog.names import DATASET_FORMATS
from trainyard.errors import NotFound
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.tasks.segmentation import ARCHITECTURES
from trainyard_local.dataset import LocalDataset, read_dataset
from workers.prepared.version import PreparedDataset
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.tasks.segmentation.network.networks import build_network

SPLITS = ("train", "val")


class Models:
    """Architectures of segmentation_models_pytorch, with encoders of it and of timm."""

    def names(self) -> Sequence[str]:
        """The architectures."""
        return tuple(ARCHITECTURES)

    def create(self, name: str, classes: int, *, weights_file: Path | None = None, **model: Any) -> nn.Module:
        """A network that gives (N, classes, H, W) logits of (N, 3, H, W) float32.

        `model` are the other fields of a spec's `model`: encoder, encoder_weights, task. Raises
        InvalidRequest that lists the names, InvalidModel and WeightsUnavailable.
        """
        spec = Experiments(CONFIGS).compose({"model": {"architecture": name, **model}})
        return build_network(spec.model, classes, weights_file)


class Datasets:
    """Formats of annotations by name; `auto` finds out which it is."""

    def names(self) -> Sequence[str]:
        """The formats."""
        return ("auto", *DATASET_FORMATS)

    def read(self, name: str, source: Path | str, runs: Path | str = "runs", **options: Any) -> LocalDataset:
        """What `read_dataset` finds in that format; raises as it does."""
        named = {} if name == "auto" else {"format": name}
        return read_dataset(source, runs, options={**named, **options})

    def create(
        self,
        name: str,
        source: Path | str,
        split: str = "train",
        *,
        spec: Mapping[str, Any] | None = None,
        runs: Path | str = "runs",
        **options: Any,
    ) -> "Split":
        """The squares that a run with that spec trains on, or validates with; raises as `read`, NotFound for
        another split than train and val, and what a spec raises."""
        if split not in SPLITS:
            raise NotFound(f"There is no split {split!r} to train with.", remedy="Take train or val.")
        found = self.read(name, source, runs, **options)
        composed = Experiments(CONFIGS).compose(spec or {})
        data = SegmentationData(PreparedDataset(found.prepared), composed)
        return Split(data.train if split == "train" else data.val)


class Split(Dataset[tuple[Tensor, Tensor]]):
    """`image` (S, S, 3) uint8 RGB and `mask` (S, S) uint8 of each sample, in which 255 is no class.

    `epoch`, counted from 0, decides how images of training are varied: set it before each.
    """

    def __init__(self, squares: Any) -> None:
        self._squares = squares
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._squares)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        item = self._squares[self.epoch, index]
        return item["image"], item["mask"]


MODELS = Models()
DATASETS = Datasets()
