"""Checkpoints of an experiment: which there are, and their weights for a network of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING

from trainyard.errors import InvalidModel, NotFound
from trainyard.runs.fork_origin import checkpoint_file
from trainyard.storage.files import RunFolder

if TYPE_CHECKING:
    from torch import nn

    from workers.training.network.warm_start import Loaded
    from workers.training.tasks.classification.prediction.predictor import LabelPredictor
    from workers.training.tasks.detection.prediction.predictor import ObjectPredictor
    from workers.training.tasks.segmentation.prediction.answers import Predictor


class Checkpoints:
    """Those of an experiment's or a run's folder: `best`, `last`, and epochs by their numbers."""

    def __init__(self, folder: Path | str) -> None:
        self._folder = RunFolder(Path(folder))

    def names(self) -> list[str]:
        """Those that are there."""
        found = (path.stem.removeprefix("epoch=") for path in self._folder.checkpoints.glob("*.ckpt"))
        return sorted((name.lstrip("0") for name in found), key=lambda name: (name.isdigit(), name.zfill(9)))

    def path(self, name: str = "best") -> Path:
        """Its file; raises NotFound."""
        if name not in (known := self.names()):
            raise NotFound(
                f"{self._folder.path} has no checkpoint {name!r}.",
                remedy=f"There are: {', '.join(known) or 'none'}.",
            )
        return checkpoint_file(self._folder, name)

    def load(self, network: "nn.Module", name: str = "best", *, strict: bool = True) -> "Loaded":
        """Fill a network's layers from a checkpoint; how many of them were filled, of how many.

        A layer is filled where all its tensors are there in the same shapes. With `strict` any other is an
        error, InvalidModel. Raises WeightsUnavailable where none fits, NotFound, and StorageUnavailable.
        """
        from workers.training.checkpoints.files import read_checkpoint
        from workers.training.network.warm_start import load_fitting

        before = {key: tensor.clone() for key, tensor in network.state_dict().items()} if strict else {}
        loaded = load_fitting(network, read_checkpoint(self.path(name))["state_dict"])
        if strict and loaded.skipped:
            network.load_state_dict(before)
            raise InvalidModel(
                loaded.describe(name), remedy="Build the same network, or load with strict=False what fits."
            )
        return loaded

    def predictor(self, name: str = "best") -> "Predictor | LabelPredictor | ObjectPredictor":
        """The trained network, ready for images; raises as `path`, and StorageUnavailable."""
        from trainyard.tasks.classification import CLASSIFICATION
        from trainyard.tasks.detection import DETECTION
        from workers.training.tasks.classification.prediction import model_files as of_labels
        from workers.training.tasks.detection.prediction import model_files as of_objects
        from workers.training.tasks.model_file import open_model
        from workers.training.tasks.segmentation.prediction.predictor import predictor_of

        model = open_model(self.path(name))
        if model.task == CLASSIFICATION.name:
            return of_labels.predictor_of(model)
        return of_objects.predictor_of(model) if model.task == DETECTION.name else predictor_of(model)
