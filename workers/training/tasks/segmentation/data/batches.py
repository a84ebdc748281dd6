"""Which squares of a prepared set train, and which validate."""

from torch import Tensor

from trainyard.catalog.names import WHERE_IT_TRAINS
from trainyard.errors import BadDataset
from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import PreparedDataset, Sample
from workers.training.data.loaders import Batch, RunData, SampleSets
from workers.training.data.splits import split_samples
from workers.training.tasks.segmentation.data.augmentation import Augmentation
from workers.training.tasks.segmentation.data.drawn_squares import DrawnCrops, DrawnSquares, loaded_side
from workers.training.tasks.segmentation.data.squares import RandomCrops, SegmentationDataset, plain_squares
from workers.training.tasks.segmentation.data.val_subset import spread_subset
from workers.training.tasks.segmentation.labels.mask_labels import outside_value
from workers.training.tasks.segmentation.labels.mask_values import check_mask_values
from workers.training.variation.batches import with_drawn

_PIXEL_BYTES = 3
"""Of a sample, besides its mask: red, green and blue."""


class MaskBatch(Batch):
    """With `mask` (N, H, W) or (N, H, W, P) uint8, as prepared."""

    mask: Tensor


class SegmentationData(RunData):
    """The loaders of a run. Raises BadDataset, InvalidModel or InvalidRequest before any batch is made."""

    train: SegmentationDataset
    val: SegmentationDataset
    epoch_val: SegmentationDataset

    def __init__(
        self,
        prepared: PreparedDataset,
        spec: TrainingSpec,
        *,
        for_gpu: bool = False,
        cores: int = 1,
    ) -> None:
        data = spec.data
        train, val = split_samples(prepared.samples, data.val_fraction, spec.seed, data.split_index)
        if len(prepared.classes) < 2:
            raise BadDataset("A set needs at least two classes, background included.")
        self._classes, self._task = len(prepared.classes), prepared.task
        super().__init__(
            len(train),
            lambda: _sets(prepared, train, val, spec),
            spec,
            for_gpu=for_gpu,
            cores=cores,
        )

    def on_before_batch_transfer(self, batch: MaskBatch, dataloader_idx: int) -> MaskBatch:
        """Look at the masks while they are still on the CPU; raises MaskIdOutOfRange."""
        check_mask_values(batch["mask"].numpy(), batch["name"], self._classes, self._task)
        return batch


def _sets(
    prepared: PreparedDataset, train: list[Sample], val: list[Sample], spec: TrainingSpec
) -> SampleSets:
    data = spec.data
    # Every rank must have something to validate.
    most = data.val_max_images and max(data.val_max_images, spec.compute.device_count)
    few = spread_subset(prepared, val, most, spec.seed)
    return SampleSets(
        train=_varied_squares(prepared, train, spec),
        val=plain_squares(prepared, val, spec),
        epoch_val=plain_squares(prepared, few, spec),
        sample_bytes=loaded_side(spec) ** 2 * (_PIXEL_BYTES + prepared.mask_planes),
        collate=with_drawn(None) if spec.augmentation.device == WHERE_IT_TRAINS else None,
    )


def _varied_squares(
    prepared: PreparedDataset, samples: list[Sample], spec: TrainingSpec
) -> SegmentationDataset:
    """The samples as training sees them."""
    data, transforms, cropped = spec.data, spec.augmentation.transforms, spec.data.fit == "crop"
    if spec.augmentation.device == WHERE_IT_TRAINS:
        drawn = DrawnCrops if cropped else DrawnSquares
        return drawn(prepared, samples, spec)
    augmentation = Augmentation(transforms, outside_value(prepared.task))
    trains_on = RandomCrops if cropped else SegmentationDataset
    return trains_on(prepared, samples, data, augmentation, spec.seed)
