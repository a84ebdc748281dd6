"""The loaders of a run: batches of training and of validation, whatever a sample of the task holds."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypedDict, cast

import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from trainyard.errors import InvalidModel
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.registry import needs_of
from workers.prepared.version import Sample
from workers.process.parent_death import die_with_parent
from workers.training.data.loader_count import loader_processes
from workers.training.data.sampler import EpochSampler, share_of
from workers.training.data.shared_memory import free_shared_memory, loading_that_fits


class Batch(TypedDict):
    """What every batch has: `image` (N, H, W, 3) uint8 RGB and the samples' names. A task adds the truth."""

    image: Tensor
    name: list[str]


class SampleSet(Protocol):
    """Samples as a task's networks see them, asked for by (epoch, index): variations differ from epoch to
    epoch. An item has `image` (H, W, 3) uint8 RGB, `name`, and what the task's truth is made of."""

    samples: list[Sample]

    @property
    def images(self) -> int:
        """Whole images, however many samples each makes."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, draw: tuple[int, int]) -> dict[str, object]: ...


@dataclass(frozen=True, kw_only=True)
class SampleSets:
    """What a run trains on; all validation samples, which are looked at after training; those by which
    epochs are validated, all or some. `sample_bytes` is the size of a batch's share of one sample; `collate`
    makes a batch of items, where their tensors are not of one shape, which are stacked."""

    train: SampleSet
    val: SampleSet
    epoch_val: SampleSet
    sample_bytes: int
    collate: Callable[[list[dict[str, Any]]], Batch] | None = None


class RunData(LightningDataModule):
    """The loaders of a run with so many training samples.

    They feed a GPU, or the processor, and with the training process may use so many of the machine's `cores`.
    `make_sets` is asked once the batches are known to be legal. Raises InvalidModel where they are not.
    """

    def __init__(
        self,
        train_samples: int,
        make_sets: Callable[[], SampleSets],
        spec: TrainingSpec,
        *,
        for_gpu: bool,
        cores: int,
    ) -> None:
        super().__init__()
        self._world = spec.compute.device_count
        share = share_of(train_samples, self._world)
        self._drop_last = drops_last(spec, share)
        self.smallest_batch = smallest_batch(share, spec.data.batch, drop_last=self._drop_last)
        self.has_rest = not self._drop_last and self.smallest_batch < min(share, spec.data.batch)
        """Whether the last training batch is smaller than the others."""
        self._data = spec.data
        self._seed = spec.seed
        self._done = (0, 0)
        sets = make_sets()
        self.train, self.val, self.epoch_val = sets.train, sets.val, sets.epoch_val
        self._collate = sets.collate
        free = free_shared_memory()
        # Ranks of one machine share it.
        self.loading = loading_that_fits(
            loader_processes(spec, cores, for_gpu=for_gpu),
            spec.data.batch * sets.sample_bytes,
            None if free is None else free // self._world,
        )
        self.val_batches_of_all = -(-(len(self.epoch_val) // self._world) // spec.data.batch)
        """Validation batches of an epoch that every rank has."""

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

    def _loader(self, samples: SampleSet, *, shuffled: bool) -> DataLoader[dict[str, object]]:
        epoch, rank = (self.trainer.current_epoch, self.trainer.global_rank) if self.trainer else (0, 0)
        workers = self.loading.processes
        sampler = EpochSampler(
            len(samples), self._seed, epoch, shuffled=shuffled, rank=rank, world=self._world
        )
        if shuffled:
            sampler.skip(*self._done)
        return DataLoader(
            cast("Dataset[dict[str, object]]", samples),
            batch_size=self._data.batch,
            sampler=sampler,
            # Its own, so that it takes no numbers from those that dropout draws.
            generator=torch.Generator(),
            collate_fn=self._collate,
            drop_last=shuffled and self._drop_last,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=self.loading.ready if workers > 0 else None,
            pin_memory=self._feeds_gpu,
            # Children of this process, in its group: by its own way to start processes, which a run's child
            # has from its worker, they would be the forkserver's, and be neither halted nor killed with it.
            multiprocessing_context="fork" if workers > 0 else None,
            worker_init_fn=partial(_end_with, os.getpid()) if workers > 0 else None,
        )


def _end_with(parent: int, _: int) -> None:
    """A loader process that was halted with its parent would stay for ever once that is killed."""
    die_with_parent(parent)


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
