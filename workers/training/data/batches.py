"""Prepared samples as batches: which images train, which validate, and how each is made into a square."""

from typing import TypedDict

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from trainyard.catalog.names import needs_of
from trainyard.errors import BadDataset, InvalidModel
from trainyard.spec.training_spec import DataSpec, TrainingSpec
from workers.prepared.version import PreparedDataset, Sample, Uint8
from workers.training.data.augmentation import Augmentation
from workers.training.data.crops import cut, random_corner, rare_classes, tile_corners
from workers.training.data.loader_count import loader_processes
from workers.training.data.resizing import to_square
from workers.training.data.sampler import EpochSampler, share_of
from workers.training.data.shared_memory import free_shared_memory, loading_that_fits
from workers.training.data.val_subset import spread_subset
from workers.training.labels.class_weights import count_pixels
from workers.training.labels.mask_labels import has_class, outside_value
from workers.training.labels.mask_values import check_mask_values

DEFAULT_VAL_FRACTION = 0.2
"""The share of images that validates where neither the set nor the spec says."""

_PIXEL_BYTES = 4
"""Of a sample: red, green, blue and its mask."""

_CROP_DRAWS = 1
"""Keeps the draws of crops apart from those of augmentation."""


class Batch(TypedDict):
    """`image` (N, H, W, 3) uint8 RGB; `mask` (N, H, W) uint8, as prepared; `name` the samples' names."""

    image: Tensor
    mask: Tensor
    name: list[str]


class Squares(Dataset[dict[str, object]]):
    """Samples as uint8 squares, asked for by (epoch, index): variations differ from epoch to epoch."""

    def __init__(
        self,
        prepared: PreparedDataset,
        samples: list[Sample],
        data: DataSpec,
        augmentation: Augmentation | None,
        seed: int,
    ) -> None:
        self._prepared = prepared
        self.samples = samples
        self._data = data
        self._augmentation = augmentation
        self._seed = seed
        self._outside = outside_value(prepared.task)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def side(self) -> int:
        """Height and width of a square."""
        return self._data.image_size

    @property
    def images(self) -> int:
        """Whole images, however many squares each is cut into."""
        return len({sample.name for sample in self.samples})

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]:
        epoch, index = draw
        image, mask = self._square(epoch, index)
        name = self.samples[index].name
        return {"image": torch.from_numpy(image), "mask": torch.from_numpy(mask), "name": name}

    def _square(self, epoch: int, index: int) -> tuple[Uint8, Uint8]:
        sample = self.samples[index]
        image, mask = self._prepared.image(sample), self._prepared.mask(sample)
        image, mask = to_square(image, mask, self._data.image_size, self._data.fit, self._outside)
        if self._augmentation is not None:
            # Varied when small: transforms cost by the pixel.
            image, mask = self._augmentation(image, mask, [self._seed, epoch, index])
        return image, mask


class RandomCrops(Squares):
    """Squares at the images' own scale, some of them around a pixel of a class in `rare`."""

    def __init__(
        self,
        prepared: PreparedDataset,
        samples: list[Sample],
        data: DataSpec,
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        super().__init__(prepared, samples, data, augmentation, seed)
        self._vary_crop = augmentation.crop
        self._rare = rare_classes(count_pixels(prepared, samples)) if data.rare_class_chance else []

    def _square(self, epoch: int, index: int) -> tuple[Uint8, Uint8]:
        sample, size = self.samples[index], self._data.image_size
        numbers = np.random.default_rng([self._seed, epoch, index, _CROP_DRAWS])
        sought = self._rare if numbers.random() < self._data.rare_class_chance else []
        image, mask = self._prepared.image(sample), self._prepared.mask(sample)
        corner = random_corner(mask, size, sought, self._has_class, numbers)
        return self._vary_crop(image, mask, corner, size, [self._seed, epoch, index])

    def _has_class(self, mask: Uint8, index: int) -> NDArray[np.bool_]:
        return has_class(mask, index, self._prepared.task)


class Tiles(Squares):
    """Every pixel of every image once, at its own scale; `samples` has the image of each tile."""

    def __init__(self, prepared: PreparedDataset, samples: list[Sample], data: DataSpec, seed: int) -> None:
        tiles = [
            (sample, corner)
            for sample in samples
            for corner in tile_corners(sample.height, sample.width, data.image_size)
        ]
        super().__init__(prepared, [sample for sample, _ in tiles], data, None, seed)
        self.corners = [corner for _, corner in tiles]

    def _square(self, epoch: int, index: int) -> tuple[Uint8, Uint8]:
        sample = self.samples[index]
        image, mask = self._prepared.image(sample), self._prepared.mask(sample)
        return cut(image, mask, self.corners[index], self._data.image_size, self._outside)


class SegmentationData(LightningDataModule):
    """The loaders of a run. Raises BadDataset, InvalidModel or InvalidRequest before any batch is made.

    They feed a GPU, or the processor, and with the training process may use so many of the machine's `cores`.
    """

    def __init__(
        self,
        prepared: PreparedDataset,
        spec: TrainingSpec,
        *,
        for_gpu: bool = False,
        cores: int = 1,
    ) -> None:
        super().__init__()
        asked = spec.data
        train, val = split_samples(prepared.samples, asked.val_fraction, spec.seed, asked.split_index)
        if len(prepared.classes) < 2:
            raise BadDataset("A set needs at least two classes, background included.")
        self._classes, self._task = len(prepared.classes), prepared.task
        self._world = spec.compute.devices
        share = share_of(len(train), self._world)
        self._drop_last = drops_last(spec, share)
        self.smallest_batch = smallest_batch(share, spec.data.batch, drop_last=self._drop_last)
        self.has_rest = not self._drop_last and self.smallest_batch < min(share, spec.data.batch)
        """Whether the last training batch is smaller than the others."""
        self._data = spec.data
        batch_bytes = spec.data.batch * spec.data.image_size**2 * _PIXEL_BYTES
        free = free_shared_memory()
        # Ranks of one machine share it.
        self.loading = loading_that_fits(
            loader_processes(spec, cores, for_gpu=for_gpu),
            batch_bytes,
            None if free is None else free // self._world,
        )
        self._seed = spec.seed
        self._done = (0, 0)
        augmentation = Augmentation(spec.augmentation.transforms, outside_value(prepared.task))
        # Every rank must have something to validate.
        most = asked.val_max_images and max(asked.val_max_images, self._world)
        few = spread_subset(prepared, val, most, spec.seed)
        self.train: Squares
        self.val: Squares
        """All validation images: what is looked at after training."""
        self.epoch_val: Squares
        """Those by which epochs are validated, all or some."""
        if asked.fit == "crop":
            self.train = RandomCrops(prepared, train, asked, augmentation, spec.seed)
            self.val = Tiles(prepared, val, asked, spec.seed)
            self.epoch_val = Tiles(prepared, few, asked, spec.seed)
        else:
            self.train = Squares(prepared, train, asked, augmentation, spec.seed)
            self.val = Squares(prepared, val, asked, None, spec.seed)
            self.epoch_val = Squares(prepared, few, asked, None, spec.seed)
        self.val_batches_of_all = -(-(len(self.epoch_val) // self._world) // asked.batch)

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Look at the masks while they are still on the CPU; raises MaskIdOutOfRange."""
        check_mask_values(batch["mask"].numpy(), batch["name"], self._classes, self._task)
        return batch

    def leave_out_rest(self) -> None:
        """Leave the smaller last batch out, with other images in each epoch."""
        self._drop_last, self.has_rest = True, False
        self.smallest_batch = self._data.batch

    def skip(self, epoch: int, batches: int) -> None:
        """Begin training in that epoch, counted from 0, after so many of its batches."""
        self._done = (epoch, batches * self._data.batch)

    def train_dataloader(self) -> DataLoader[dict[str, object]]:
        return self._loader(self.train, shuffled=True)

    def val_dataloader(self) -> DataLoader[dict[str, object]]:
        return self._loader(self.epoch_val, shuffled=False)

    @property
    def _feeds_gpu(self) -> bool:
        return self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"

    def _loader(self, squares: Squares, *, shuffled: bool) -> DataLoader[dict[str, object]]:
        epoch, rank = (self.trainer.current_epoch, self.trainer.global_rank) if self.trainer else (0, 0)
        workers = self.loading.processes
        sampler = EpochSampler(
            len(squares), self._seed, epoch, shuffled=shuffled, rank=rank, world=self._world
        )
        if shuffled:
            sampler.skip(*self._done)
        return DataLoader(
            squares,
            batch_size=self._data.batch,
            sampler=sampler,
            # Its own, so that it takes no numbers from those that dropout draws.
            generator=torch.Generator(),
            drop_last=shuffled and self._drop_last,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=self.loading.ready if workers > 0 else None,
            pin_memory=self._feeds_gpu,
        )


def split_samples(
    samples: list[Sample], val_fraction: float | None, seed: int, split_index: int | None = None
) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples; raises BadDataset when either would be empty.

    With `split_index` that fold validates and the others train. Else the set's own split is kept unless it
    has no validation or `val_fraction` asks for another; then train and val are shuffled together by `seed`
    and shared out, at least one image to each; copies of one image stay together. What is of the splits test
    and unused stays out of both.
    """
    pool = [sample for sample in samples if sample.split in ("train", "val")]
    if split_index is not None:
        return _by_fold(pool, split_index)
    train = [sample for sample in pool if sample.split == "train"]
    val = [sample for sample in pool if sample.split == "val"]
    if train and val and val_fraction is None:
        return train, val
    return _drawn(pool, DEFAULT_VAL_FRACTION if val_fraction is None else val_fraction, seed)


def _drawn(pool: list[Sample], fraction: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Copies of one image are drawn together."""
    copies: dict[str, list[str]] = {}
    for sample in pool:
        copies.setdefault(sample.digest or sample.name, []).append(sample.name)
    groups = list(copies.values())
    if len(groups) < 2:
        raise BadDataset(
            f"Training needs at least two images outside the test split; there are {len(groups)}."
        )
    wanted = max(1, round(len(pool) * fraction))
    held_out: set[str] = set()
    for place in np.random.default_rng(seed).permutation(len(groups))[:-1]:
        if len(held_out) < wanted:
            held_out.update(groups[place])
    train = [sample for sample in pool if sample.name not in held_out]
    return train, [sample for sample in pool if sample.name in held_out]


def _by_fold(pool: list[Sample], index: int) -> tuple[list[Sample], list[Sample]]:
    train = [sample for sample in pool if sample.fold is not None and sample.fold != index]
    val = [sample for sample in pool if sample.fold == index]
    if not train or not val:
        folds = len({sample.fold for sample in pool} - {None})
        raise BadDataset(f"data.split_index is {index}, and the set has {folds} folds.")
    return train, val


def drops_last(spec: TrainingSpec, images: int) -> bool:
    """Whether the last, smaller training batch is left out; raises InvalidModel when no batch is legal.

    It is left out only when it is smaller than the least batch of the architecture and the set fills at
    least one whole batch besides; the shuffle leaves out other images in each epoch.
    """
    least = needs_of(spec.model.architecture).min_batch
    batch = spec.data.batch
    if min(batch, images) < least:
        raise InvalidModel(
            f"{spec.model.architecture} trains on batches of at least {least}; batch_size is {batch} "
            f"and there are {images} training images.",
            errors={"spec": {"data": {"batch_size": [f"at least {least}, with as many training images"]}}},
        )
    return 0 < images % batch < least


def smallest_batch(images: int, batch: int, *, drop_last: bool) -> int:
    """Images in the smallest batch of a training epoch."""
    rest = images % batch
    return min(images, batch) if drop_last or rest == 0 else rest
