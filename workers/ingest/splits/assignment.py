"""Decides which samples train, validate, test or are left out, and in which fold each validates.

The split is that of the client's lists, else that of the upload's folders, else drawn. Copies of one image
are never on two sides of it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from trainyard.datasets.record import IngestOptions
from workers.ingest.problems import ProblemLog, shown
from workers.ingest.splits.name_lists import listed
from workers.ingest.splits.questions import ask_bare_training
from workers.ingest.splits.stratification import Unit, stratify

SPLITS = ("train", "val", "test")
UNUSED = "unused"
"""The split of samples that the set holds and nothing uses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What the place of a sample depends on.

    `file` is that of its image in the upload. `given` is the split that the upload's folders or its format
    say, `given_fold` the fold, from 0; None where they say none. `classes` are those that occur in its mask,
    by any number. `digest` is a hash of the image's pixels: samples with the same one are copies and stay
    together.
    """

    name: str
    file: str
    given: str | None
    classes: frozenset[int]
    digest: str
    given_fold: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a sample is used: `split` is train, val, test or unused; `fold` counts from 0, None without."""

    split: str
    fold: int | None = None


@dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """The place of each sample, by its name; `origin` says in a few words where the splits come from."""

    places: dict[str, Place]
    origin: str


def assign(
    samples: Sequence[Candidate],
    options: IngestOptions,
    log: ProblemLog,
    told: str = "",
    names: Mapping[int, str] = MappingProxyType({}),
) -> SplitPlan:
    """The place of each sample; the same in whatever order the samples come.

    `told` says what told the splits that are given, as `Told.origin`; `names` are those of the classes.
    To be called once all masks are read and the set is sound. Logs an error, and answers what it has, where
    the lists are wrong or no images are left to train or to validate with. Samples of the split `unused`
    stay in the prepared set: `counts` tells how many they are. With the option `folds`, each sample that
    trains or validates has one; else those have one of which the upload tells it. Where the set has no
    validation of its own, the first fold is it.
    """
    ordered = sorted(samples, key=lambda sample: sample.name)
    splits = _kept_apart(ordered, _given(ordered, options, log), log)
    own_folds = _own_folds(ordered, splits, options, log)
    draws_val = "val" not in splits.values()
    if not {None, "train"} & set(splits.values()):
        log.error(
            "split_without_train",
            None,
            "All images are meant for validation or test: none is left to train.",
            "Name images to train with too, or send the set with `splits_from: draw` to have a split drawn.",
        )
        return SplitPlan(places={name: Place(split=s or "train") for name, s in splits.items()}, origin=told)
    placed = {name: split or "train" for name, split in splits.items()}
    if options.splits_from is None and options.splits is None:
        _ask_if_bare(ordered, placed, log)
    if draws_val and options.folds is None and not own_folds:
        if None not in splits.values():
            _warn_of_drawn_val(options, log)
        placed |= _drawn(_of(ordered, placed, "train"), options, log)
    if options.max_images_per_class is not None:
        caps = _caps(ordered, options.max_images_per_class, names, log)
        for split in SPLITS:
            placed |= _capped(_of(ordered, placed, split), caps, options.seed)
    pool = _of(ordered, placed, "train", "val")
    drawn = _folds(pool, options, log) if options.folds else {}
    folds = drawn or {one.name: own_folds[one.name] for one in pool if one.name in own_folds}
    if draws_val:
        first = min(folds.values(), default=0)
        placed |= {name: "val" for name, fold in folds.items() if fold == first}
    shared: dict[tuple[str, int | None], Place] = {}
    places = {
        name: shared.setdefault(key, Place(split=key[0], fold=key[1]))
        for name, key in ((name, (split, folds.get(name))) for name, split in placed.items())
    }
    return SplitPlan(places=places, origin=_origin(options, told, draws_val, own_folds, log))


def _ask_if_bare(samples: list[Candidate], placed: Mapping[str, str], log: ProblemLog) -> None:
    """Ask where one class alone is to be learned, since all images of others are held out for test."""
    learned = {label for sample in _of(samples, placed, "train", "val") for label in sample.classes}
    richer = [one for one in _of(samples, placed, "test") if one.classes - learned]
    if len(learned) < 2 and richer:
        ask_bare_training(len(richer), log)


def _own_folds(
    samples: list[Candidate], splits: Mapping[str, str | None], options: IngestOptions, log: ProblemLog
) -> dict[str, int]:
    """The folds that the upload tells, where the client asks for no others; copies are in the same one."""
    if options.folds is not None or options.splits is not None:
        return {}
    found: dict[str, int] = {}
    for copies in _groups(samples):
        given = {
            one.name: one.given_fold
            for one in copies
            if one.given_fold is not None and splits[one.name] in (None, "train", "val")
        }
        found |= dict.fromkeys(given, min(given.values(), default=0))
        if len(set(given.values())) > 1:
            log.warning(
                "image_in_two_folds",
                copies[0].file,
                f"The same image is in {len(set(given.values()))} folds; all of them validate in the first.",
                "Remove the copies.",
            )
    return found


def _origin(
    options: IngestOptions, told: str, draws_val: bool, own_folds: Mapping[str, int], log: ProblemLog
) -> str:
    parts = ["option splits" if options.splits is not None else told]
    if options.folds is not None:
        parts.append(f"{options.folds} folds by seed {options.seed}")
    elif own_folds:
        count = len(set(own_folds.values()))
        parts.append(f"{count} folds of these" + (", of which the first validates" if draws_val else ""))
        if draws_val:
            log.guess(
                f"of the {count} folds that the upload tells, the first validates where a run names none as "
                "data.split_index"
            )
    elif draws_val:
        whole = "val drawn from train" if parts[0] else "drawn"
        parts.append(f"{whole}: {options.val_fraction:.0%} by seed {options.seed}")
    return "; ".join(part for part in parts if part)


def counts(places: Mapping[str, Place]) -> dict[str, int]:
    """Images per split that occurs, in the order train, val, test, unused."""
    found = Counter(place.split for place in places.values())
    return {split: found[split] for split in (*SPLITS, UNUSED) if split in found}


def _given(samples: list[Candidate], options: IngestOptions, log: ProblemLog) -> dict[str, str | None]:
    """The split that lists or folders give; None for all where neither does."""
    if options.splits is not None:
        named = listed(samples, options.splits, log)
        absent = [sample.file for sample in samples if sample.name not in named]
        if absent:
            log.warning(
                "split_unlisted",
                absent[0],
                f"{len(absent)} image(s) are in none of the lists of `splits` and are not used.",
                "Add them to a list.",
            )
        return {sample.name: named.get(sample.name, UNUSED) for sample in samples}
    loose = [sample.file for sample in samples if sample.given is None]
    if not loose or len(loose) == len(samples):
        return {sample.name: sample.given for sample in samples}
    log.warning(
        "split_missing",
        loose[0],
        f"{len(loose)} image(s) are told no split, unlike others, and are used to train.",
        "Nothing, if that is meant; else move them into a folder train, val or test, or name them in a list.",
    )
    return {sample.name: sample.given or "train" for sample in samples}


def _kept_apart(
    samples: list[Candidate], splits: Mapping[str, str | None], log: ProblemLog
) -> dict[str, str | None]:
    """Leave copies out that would be on two sides: the one held out furthest keeps its place."""
    held_out = {UNUSED: -1, None: 0, "train": 0, "val": 1, "test": 2}
    apart = dict(splits)
    for copies in _groups(samples):
        furthest = max(copies, key=lambda sample: held_out[splits[sample.name]])
        keeping = splits[furthest.name]
        for copy in copies:
            if splits[copy.name] not in (keeping, UNUSED):
                apart[copy.name] = UNUSED
                log.warning(
                    "image_in_two_splits",
                    copy.file,
                    f"The same image is in {keeping} as {furthest.file}; this copy, in {splits[copy.name]}, "
                    "is not used.",
                    "Remove one of the copies.",
                )
    return apart


def _drawn(samples: list[Candidate], options: IngestOptions, log: ProblemLog) -> dict[str, str]:
    """Draw `val_fraction` of the samples, at least one image and not all of them; of a single one none."""
    units = _units(samples)
    if len(units) < 2:
        log.warning(
            "single_image",
            None,
            "All images are the same one; a run needs one to train and another to validate.",
            "Add images and masks before a run is submitted.",
        )
        return {}
    held_out = min(max(round(len(samples) * options.val_fraction), 1), len(samples) - 1)
    val, _ = stratify(units, [held_out, len(samples) - held_out], options.seed)
    return {name: "val" for unit in val for name in unit.names}


def _folds(samples: list[Candidate], options: IngestOptions, log: ProblemLog) -> dict[str, int]:
    """The fold of each sample; folds differ by one image at most, but for copies that stay together."""
    units, folds = _units(samples), options.folds or 0
    if len(units) < folds:
        log.error(
            "too_few_images",
            None,
            f"{len(units)} different image(s) cannot be shared out over {folds} folds.",
            "Add images, or ask for fewer folds.",
        )
        return {}
    sizes = [(len(samples) + later) // folds for later in reversed(range(folds))]
    parts = stratify(units, sizes, options.seed)
    return {name: fold for fold, part in enumerate(parts) for unit in part for name in unit.names}


def _caps(
    samples: list[Candidate], most: int | dict[str, int], names: Mapping[int, str], log: ProblemLog
) -> dict[int, int]:
    """The most images of each class; a name of the client's that is no class is an error."""
    labels = {label for sample in samples for label in sample.classes}
    if isinstance(most, int):
        return dict.fromkeys(labels, most)
    unknown = sorted(most.keys() - set(names.values()))
    if unknown:
        log.error(
            "class_unknown",
            None,
            f"`max_images_per_class` names {shown(unknown[0])!r}, which is no class of the set.",
            f"Name some of its classes: {', '.join(shown(name) for name in names.values())[:1000]}.",
        )
    return {label: most.get(names.get(label, ""), len(samples)) for label in labels}


def _capped(samples: list[Candidate], caps: Mapping[int, int], seed: int) -> dict[str, str]:
    """Keep, for each class, rarest first, images until as many as its cap of those kept have it; the rest is
    unused. Images without a class are kept.

    An image with a rare and a common class is kept for the rare one, so a common class may have more.
    """
    ranked = sorted(samples, key=lambda one: hashlib.sha256(f"{seed}:{one.name}".encode()).digest())
    images = Counter(label for sample in samples for label in sample.classes)
    kept = {sample.name: sample for sample in samples if not sample.classes}
    have: Counter[int] = Counter()
    for label in sorted(images, key=lambda label: (images[label], label)):
        for sample in ranked:
            if have[label] < caps[label] and label in sample.classes and sample.name not in kept:
                kept[sample.name] = sample
                have.update(sample.classes)
    return {sample.name: UNUSED for sample in samples if sample.name not in kept}


def _groups(samples: Iterable[Candidate]) -> list[list[Candidate]]:
    """Copies of one image together."""
    groups: dict[str, list[Candidate]] = {}
    for sample in samples:
        groups.setdefault(sample.digest, []).append(sample)
    return list(groups.values())


def _units(samples: Iterable[Candidate]) -> list[Unit]:
    shared: dict[frozenset[tuple[int, int]], Counter[int]] = {}
    units = []
    for copies in _groups(samples):
        classes = Counter(label for sample in copies for label in sample.classes)
        classes = shared.setdefault(frozenset(classes.items()), classes)
        units.append(Unit(names=tuple(sample.name for sample in copies), classes=classes))
    return units


def _of(samples: list[Candidate], placed: Mapping[str, str], *splits: str) -> list[Candidate]:
    return [sample for sample in samples if placed[sample.name] in splits]


def _warn_of_drawn_val(options: IngestOptions, log: ProblemLog) -> None:
    log.warning(
        "val_drawn",
        None,
        f"No images are meant for validation; {options.val_fraction:.0%} of the training images are drawn.",
        "Nothing, if that is meant; else name images for validation.",
    )
