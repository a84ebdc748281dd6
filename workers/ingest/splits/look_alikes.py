"""Images of different splits that look the same: saved anew, made smaller, or frames of a still camera.

Files of equal bytes are left out of the split that trains (`assignment`); what looks the same may be meant,
and is said: scores on what was trained on are too good.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from workers.ingest.pictures.sketch import SIDE
from workers.ingest.problems import ProblemLog, shown

_ALIKE = 1.5
"""Grey values, of 256, by which cells of two sketches of the same picture differ on average at most."""
_TELLING = 5.0
"""Standard deviation of the cells from which on a sketch tells a picture: less is a blank one."""
_CELL = 4.0
"""Grey values per step of the grid in which sketches are looked up: those of one picture differ by less."""
_HELD_OUT = ("val", "test")


def warn_of_look_alikes(sketches: Mapping[str, bytes], splits: Mapping[str, str], log: ProblemLog) -> None:
    """Tell of images held out that look as others do that train; both by the images' paths."""
    paths = [path for path, one in sketches.items() if one and splits.get(path) in ("train", *_HELD_OUT)]
    if not paths:
        return
    cells = np.frombuffer(b"".join(sketches[path] for path in paths), np.uint8).reshape(len(paths), -1)
    telling: list[int] = np.flatnonzero(cells.std(axis=1) >= _TELLING).tolist()
    trained = [place for place in telling if splits[paths[place]] == "train"]
    others = [place for place in telling if splits[paths[place]] in _HELD_OUT]
    for place, rival in _alike(cells.astype(np.int16), trained, others):
        log.warning(
            "images_alike_in_splits",
            paths[place],
            f"The image, of {splits[paths[place]]}, looks the same as {shown(paths[rival])}, which trains.",
            "Nothing, if they are different images; else take one out: scores on what was trained on are too "
            "good.",
        )


def _alike(
    cells: NDArray[np.int16], trained: Sequence[int], others: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Each of the others with one of the trained that it looks like."""
    steps = np.floor(_features(cells) / _CELL).astype(int)
    grid: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for place in trained:
        grid[tuple(steps[place].tolist())].append(place)
    around = list(product((-1, 0, 1), repeat=steps.shape[1]))
    for place in others:
        own = steps[place].tolist()
        near = [one for move in around for one in grid.get(tuple(map(sum, zip(own, move, strict=True))), ())]
        if near:
            differences = np.abs(cells[near] - cells[place]).mean(axis=1)
            if differences.min() <= _ALIKE:
                yield place, near[int(differences.argmin())]


def _features(cells: NDArray[np.int16]) -> NDArray[np.float64]:
    """The mean, and what the upper and the left half have beyond it, (N, 3): equal for equal pictures."""
    pictures = cells.reshape(len(cells), SIDE, SIDE)
    mean = pictures.mean(axis=(1, 2))
    halves = pictures[:, : SIDE // 2].mean(axis=(1, 2)), pictures[:, :, : SIDE // 2].mean(axis=(1, 2))
    return np.stack([mean, *(half - mean for half in halves)], axis=1)
