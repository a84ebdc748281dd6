"""What became of a layout: the truth, a question, an error, or something else that is called ready."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tests.ingest.layouts.layout import Labelled, Layout
from tests.ingest.layouts.scenes import IGNORED, Array, shown
from trainyard.datasets.record import DatasetSummary, Problem
from workers.prepared.version import IGNORE_INDEX, PreparedDataset, Sample

CLOSE = 3.0
"""Mean difference of values, of 255, up to which a prepared image is the picture of a file."""


PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")

_NUMBER = re.compile(r"(?<![\w./-])\d{1,4}(?![\w./-])")
"""A number in a message that is no part of a path."""


class Kind(StrEnum):
    TRUTH = "truth"
    SHORT = "truth in part"
    """Ready with fewer pairs, and a warning counts and names what was left out."""
    ASKED = "asked"
    REFUSED = "refused"
    WRONG = "WRONG"


READY = (Kind.TRUTH, Kind.SHORT)


@dataclass(frozen=True)
class Verdict:
    """`reason` says what is wrong, or what was asked or refused."""

    kind: Kind
    reason: str = ""


@dataclass(frozen=True)
class _Seen:
    """A prepared sample: the file that it was made of, its place and its mask."""

    path: str
    split: str
    mask: Array


class _Wrong(Exception):
    """The set is not what the layout says."""


def judge(
    layout: Layout,
    summary: DatasetSummary,
    warnings: Iterable[Problem],
    prepared: PreparedDataset,
    *,
    answered: bool,
) -> Verdict:
    """Compare what is ready with the truth, by pixels of images; `answered` if a client chose the reading."""
    told = tuple(warnings)
    reasons = []
    guesses = summary.reading.guesses if summary.reading else ()
    for pairs in (layout.pairs, *layout.also):
        try:
            missing = _compared(layout, pairs, told, prepared, answered)
        except _Wrong as wrong:
            reasons.append(str(wrong))
            continue
        if layout.also and not (answered or guesses or told):
            return Verdict(Kind.WRONG, "one of several readings was taken without a word")
        return Verdict(Kind.SHORT, f"{missing} of {len(pairs)} left out") if missing else Verdict(Kind.TRUTH)
    return Verdict(Kind.WRONG, reasons[0])


def _compared(
    layout: Layout,
    pairs: Mapping[str, Labelled],
    told: tuple[Problem, ...],
    prepared: PreparedDataset,
    answered: bool,
) -> int:
    """How many pairs are missing and said to be; raises _Wrong."""
    pictures = {path: shown(layout.files[path]) for path in (*pairs, *layout.unmasked, *layout.views)}
    seen: dict[str, _Seen] = {}
    for sample in prepared.samples:
        found = _file_of(sample, prepared.image(sample), pictures)
        path = layout.views.get(found, found)
        if path in seen:
            raise _Wrong(f"{path} is read twice, as {sample.name} too")
        seen[path] = _Seen(path, sample.split, prepared.mask(sample))
    _check_unmasked(layout, seen, told, answered)
    for path, one in pairs.items():
        if path in seen:
            _check_split(seen[path], one.split)
    _check_masks(pairs, seen, layout.tolerance)
    lost = {path: (path, *one.masks) for path, one in pairs.items() if path not in seen}
    lost |= {path: (path,) for path in layout.unmasked if path not in seen}
    _check_told(layout, lost, told)
    return len(lost.keys() & pairs.keys())


def _file_of(sample: Sample, image: Array, pictures: Mapping[str, Array]) -> str:
    """The path of the picture that the sample shows."""
    like = {
        path: float(np.abs(image.astype(int) - pixels).mean())
        for path, pixels in pictures.items()
        if pixels.shape == image.shape
    }
    nearest = min(like, key=lambda path: like[path], default=None)
    if nearest is None or like[nearest] > CLOSE:
        raise _Wrong(f"the sample {sample.name} shows no image of the set, but another picture")
    return nearest


def _check_split(one: _Seen, said: str | None) -> None:
    allowed = {None: ("train", "val"), "train": ("train", "val")}.get(said, (said,))
    if one.split not in allowed:
        raise _Wrong(f"{one.path} is in {one.split}, not in {said or 'train or val'}")


def _check_unmasked(
    layout: Layout, seen: Mapping[str, _Seen], told: tuple[Problem, ...], answered: bool
) -> None:
    """Images without masks are left out with a warning, or empty if the set or the client says so."""
    for path, one in layout.unmasked.items():
        if path not in seen:
            continue
        if len(np.unique(seen[path].mask)) > 1:
            raise _Wrong(f"{path} has no mask, but is read with one")
        if not one.is_background and not answered and not _count(told, [path]):
            raise _Wrong(f"{path} has no mask and is read as background without a word")
        if one.split:
            _check_split(seen[path], one.split)


def _check_masks(pairs: Mapping[str, Labelled], seen: Mapping[str, _Seen], tolerance: float) -> None:
    """Each class of the truth is one class, and no two are the same."""
    table = np.zeros((256, 256), np.int64)
    for path, one in pairs.items():
        if path in seen:
            if seen[path].mask.shape != one.labels.shape:
                raise _Wrong(f"the mask of {path} has another size")
            np.add.at(table, (one.labels, seen[path].mask), 1)
    became = {int(truth): int(table[truth].argmax()) for truth in np.flatnonzero(table.sum(1))}
    for path, one in pairs.items():
        if path in seen:
            _check_mask(path, one.labels, seen[path].mask, became, tolerance)
    if len(set(became.values())) < len(became):
        raise _Wrong(f"classes became the same one: {became}")
    others = sorted(set(np.flatnonzero(table.sum(0)).tolist()) - set(became.values()))
    if others:
        raise _Wrong(f"there are {len(others)} more classes than those of the set: {others}")
    for truth, index in became.items():
        if (truth == IGNORED) != (index == IGNORE_INDEX):
            raise _Wrong(f"what is ignored and what is a class are confused: {became}")


def _check_mask(path: str, labels: Array, mask: Array, became: Mapping[int, int], tolerance: float) -> None:
    for truth in np.unique(labels):
        inside = labels == truth
        off = float((mask[inside] != became[int(truth)]).mean())
        if off > tolerance:
            raise _Wrong(f"the mask of {path} is not its own: {off:.0%} of class {truth} is another class")


def _check_told(layout: Layout, lost: Mapping[str, tuple[str, ...]], told: tuple[Problem, ...]) -> None:
    """Raises _Wrong unless warnings that name lost files count them, or all unread pictures are counted."""
    if not lost:
        return
    said = _count(told, {file for files in lost.values() for file in files})
    known = {
        file for path, one in layout.pairs.items() for file in (path, *one.masks)
    } | layout.unmasked.keys()
    neither = {path for path in layout.files.keys() - known if _is_picture(path)}
    said_of_all = _count(told, {file for files in lost.values() for file in files} | neither)
    if said < len(lost) and said_of_all < len(lost) + len(neither):
        raise _Wrong(f"{len(lost)} images are left out, {said} of them said, such as {next(iter(lost))}")


def _is_picture(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.endswith(PICTURES) and not name.startswith("._")  # macOS adds files of such names


def _count(told: tuple[Problem, ...], names: Collection[str]) -> int:
    """How many files are counted by the warnings that name one of these."""
    return sum(_counted(one) for one in told if any(_names(one, name) for name in names))


def _names(problem: Problem, path: str) -> bool:
    texts = (problem.file or "", problem.message, *problem.examples)
    return any(_composed(path) in _composed(text) for text in texts)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)  # readers may show a name in the other form


def _counted(problem: Problem) -> int:
    numbers = (int(number) for number in _NUMBER.findall(problem.message))
    return max((problem.count, *numbers))
