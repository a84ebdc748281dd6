"""Networks and data sets by their names, for training loops and looks of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from trainyard.catalog.names import DATASET_FORMATS
from trainyard.errors import NotFound
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.tasks.registry import TASKS as DESCRIPTIONS
from trainyard.tasks.registry import architectures
from trainyard_local.chosen_task import fitted_to
from trainyard_local.dataset import LocalDataset, read_dataset
from workers.prepared.version import PreparedClass, PreparedDataset
from workers.training.tasks.registry import TASKS, task_of

SPLITS = ("train", "val")


class Models:
    """Architectures of all tasks, with encoders of segmentation_models_pytorch and of timm."""

    def names(self) -> Sequence[str]:
        """The architectures."""
        return tuple(architectures())

    def create(self, name: str, classes: int, *, weights_file: Path | None = None, **model: Any) -> nn.Module:
        """A network that gives (N, classes, H, W) logits of (N, 3, H, W) float32, a Classifier (N, classes);
        a detector gives an Answer (workers/training/tasks/detection/network/detector.py).

        `model` are the other fields of a spec's `model`: encoder, encoder_weights, task. Raises
        InvalidRequest that lists the names, InvalidModel and WeightsUnavailable.
        """
        tasks = [task.name for task in DESCRIPTIONS.values() if name in task.architectures]
        named = {"task": tasks[0]} if tasks else {}
        spec = Experiments(CONFIGS).compose({**named, "model": {"architecture": name, **model}})
        told = [PreparedClass(index=n, name=str(n), value=n, color=(0, 0, 0)) for n in range(classes)]
        return TASKS[spec.task].build_network(spec.model, told, weights_file)


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
        """The squares that a run with that spec, and its task, trains on or validates with; raises as `read`,
        NotFound for another split than train and val, and what a spec raises."""
        if split not in SPLITS:
            raise NotFound(f"There is no split {split!r} to train with.", remedy="Take train or val.")
        found = self.read(name, source, runs, **options)
        configs = Experiments(CONFIGS)
        composed = configs.compose(fitted_to(found, spec or {}, None, configs))
        data = task_of(composed).data(PreparedDataset(found.prepared), composed, for_gpu=False, cores=1)
        return Split(data.train if split == "train" else data.val)


Truth = Tensor | dict[str, Tensor]
"""A mask, a label, or the objects of an image."""


class Split(Dataset[tuple[Tensor, Truth]]):
    """`image` (S, S, 3) uint8 RGB of each sample and its `mask` (S, S) uint8, in which 255 is no class, or
    its label: int64 without an axis, or (C,) float32 of a multilabel set; of detection a dict of `boxes`
    (M, 4) float32 in pixels of the square, `labels` (M,) int64 and, of instances, `masks` (M, S, S) uint8.

    `epoch`, counted from 0, decides how images of training are varied: set it before each.
    """

    def __init__(self, squares: Any) -> None:
        self._squares = squares
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._squares)

    def __getitem__(self, index: int) -> tuple[Tensor, Truth]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        item = self._squares[self.epoch, index]
        if "objects" in item:
            return item["image"], _tensors(item["objects"])
        return item["image"], item["mask"] if "mask" in item else item["label"]


def _tensors(objects: Any) -> dict[str, Tensor]:
    found = {"boxes": torch.from_numpy(objects.boxes), "labels": torch.from_numpy(objects.classes)}
    return found if objects.masks is None else {**found, "masks": torch.from_numpy(objects.masks)}


MODELS = Models()
DATASETS = Datasets()
