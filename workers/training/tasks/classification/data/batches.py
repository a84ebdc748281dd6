"""Which images of a prepared set train, and which validate."""

from torch import Tensor

from trainyard.catalog.names import WHERE_IT_TRAINS
from trainyard.errors import BadDataset
from trainyard.runs.taught_images import untaught
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.classification import CLASSIFICATION
from workers.prepared.version import PreparedDataset, Sample
from workers.training.data.loaders import Batch, RunData, SampleSets
from workers.training.data.splits import split_samples
from workers.training.tasks.classification.data.pictures import Pictures, VariedPictures, plain_pictures
from workers.training.tasks.classification.data.sampling import spread_subset
from workers.training.tasks.classification.labels.targets import check_labels
from workers.training.variation.batches import with_drawn

_PIXEL_BYTES = 3


class LabelBatch(Batch):
    """With `label`: (N,) int64, or (N, C) float32 of a multilabel task and of blended images."""

    label: Tensor


class ClassificationData(RunData):
    """The loaders of a run. Raises BadDataset, InvalidModel or InvalidRequest before any batch is made."""

    train: VariedPictures
    val: Pictures
    epoch_val: Pictures

    def __init__(self, prepared: PreparedDataset, spec: TrainingSpec, *, for_gpu: bool, cores: int) -> None:
        train, val = labelled_split(prepared, spec)
        super().__init__(
            len(train),
            lambda: _sets(prepared, train, val, spec),
            spec,
            for_gpu=for_gpu,
            cores=cores,
        )


def labelled_split(prepared: PreparedDataset, spec: TrainingSpec) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples, whose labels are right; raises BadDataset."""
    if "labels" not in prepared.kinds:
        raise BadDataset("The images of the set have no labels.")
    train, val = split_samples(
        prepared.samples,
        spec.data.val_fraction,
        spec.seed,
        spec.data.split_index,
        lambda sample: bool(sample.classes),
    )
    check_labels(prepared, [*train, *val])
    if not any(sample.classes for sample in train):
        raise untaught("train", CLASSIFICATION.kind, spec.data)
    return train, val


def _sets(
    prepared: PreparedDataset, train: list[Sample], val: list[Sample], spec: TrainingSpec
) -> SampleSets:
    data = spec.data
    # Every rank must have something to validate.
    most = data.val_max_images and max(data.val_max_images, spec.compute.device_count)
    return SampleSets(
        train=VariedPictures(prepared, train, spec),
        val=plain_pictures(prepared, val, spec),
        epoch_val=plain_pictures(prepared, spread_subset(val, most, spec.seed), spec),
        sample_bytes=data.image_size**2 * _PIXEL_BYTES,
        collate=with_drawn(None) if spec.augmentation.device == WHERE_IT_TRAINS else None,
    )
