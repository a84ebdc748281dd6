"""Which images an epoch draws, in which order, and from where on."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler


class EpochSampler(Sampler[tuple[int, int]]):
    """Yields (epoch, index); shuffled by seed and epoch alone, so a resumed run draws what it would have.

    Of several ranks each has its share. Shuffled shares are equally long, the first images drawn again
    where they do not come out even; others hold every image once.
    """

    def __init__(
        self, length: int, seed: int, epoch: int, *, shuffled: bool, rank: int = 0, world: int = 1
    ) -> None:
        self._length = length
        self._seed = seed
        self._epoch = epoch
        self._shuffled = shuffled
        self._rank = rank
        self._world = world
        self._done = (0, 0)

    def skip(self, epoch: int, images: int) -> None:
        """Leave out so many images at the beginning of that epoch: an earlier attempt has had them."""
        self._done = (epoch, images)

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this as each epoch begins, counted from 0."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._share())

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, images = self._done
        begin = images if epoch == self._epoch else 0
        return iter([(self._epoch, int(index)) for index in self._share()[begin:]])

    def _share(self) -> NDArray[np.int64]:
        order = np.arange(self._length)
        if self._shuffled:
            order = np.random.default_rng([self._seed, self._epoch]).permutation(self._length)
            order = np.resize(order, share_of(self._length, self._world) * self._world)
        return order[self._rank :: self._world]


def share_of(images: int, world: int) -> int:
    """Training images of one rank in an epoch."""
    return -(-images // world)
