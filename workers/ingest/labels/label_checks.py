"""Checks labels once the images are read: pictures with two of them, classes with few images or none."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from trainyard.datasets.record import Task
from workers.ingest.problems import ProblemLog, shown
from workers.ingest.reading.statistics import SampleCounts
from workers.ingest.splits.assignment import Place

MAX_LABELS = 10_000
"""Classes of a set of labels."""

_UNBALANCED = 20
"""The largest class has more than so many times the images of the smallest: worth a word."""
_EXAMPLES = 10


def check_labels(names: Sequence[str], readings: Sequence[SampleCounts], task: Task, log: ProblemLog) -> None:
    """Log errors where labels cannot be learnt, and warnings of what may be wrong with them."""
    counts = Counter(label for reading in readings for label in reading.values)
    if len(counts) < 2:
        log.error(
            "single_label",
            None,
            f"The images have {len(counts)} label(s) between them; two are needed to tell apart.",
            "Send images of at least two classes.",
        )
        return
    if len(names) > MAX_LABELS:
        log.error(
            "too_many_classes",
            None,
            f"There are {len(names)} classes; at most {MAX_LABELS} are told apart.",
            "Merge classes, or check that the labels are not names of images.",
        )
    if task == "multiclass":
        _warn_of_contradictions(names, readings, log)
    absent = [name for index, name in enumerate(names) if not counts[index]]
    if absent:
        log.warning(
            "class_absent",
            None,
            f"No image that can be read has {len(absent)} of the classes: {_listed(absent)}.",
            "Add images of these classes, or take the classes out.",
        )
    largest, smallest = counts.most_common()[0], counts.most_common()[-1]
    if largest[1] > _UNBALANCED * smallest[1]:
        log.warning(
            "classes_unbalanced",
            None,
            f"{shown(names[largest[0]])} has {largest[1]} images and {shown(names[smallest[0]])} "
            f"{smallest[1]}: scores over all images say little of the rare ones.",
            "Weigh classes in training (`optimization.class_weighting: auto`), cap the frequent ones with "
            "`max_images_per_class`, and look at the scores of each class.",
        )


def check_parts(
    names: Mapping[int, str], readings: Sequence[SampleCounts], places: Mapping[str, Place], log: ProblemLog
) -> None:
    """Log an error where no training image has any, and warn of classes that are tested or validated and
    never trained."""
    seen: defaultdict[str, set[int]] = defaultdict(set)
    for reading in readings:
        seen[places[reading.name].split] |= set(reading.values)
    if not seen["train"]:
        log.error(
            "train_unlabelled",
            None,
            "No image of the training split has any of the classes, so that nothing could be learnt of them.",
            "Move images that have some into training, or let the split be drawn (`splits_from: draw`).",
        )
        return
    untrained = sorted((seen["val"] | seen["test"]) - seen["train"])
    if untrained:
        log.warning(
            "class_untrained",
            None,
            f"{len(untrained)} class(es) are validated or tested and in no training image: "
            f"{_listed([names[index] for index in untrained])}.",
            "Move images of these classes into training, or check that folders of both are called alike.",
        )


def _warn_of_contradictions(names: Sequence[str], readings: Sequence[SampleCounts], log: ProblemLog) -> None:
    by_picture: defaultdict[str, list[SampleCounts]] = defaultdict(list)
    for reading in readings:
        by_picture[reading.image_sha256].append(reading)
    for copies in by_picture.values():
        labels = sorted({label for reading in copies for label in reading.values})
        if len(labels) > 1:
            log.warning(
                "image_in_two_classes",
                copies[0].name,
                f"The same picture is there as {_listed([names[one] for one in labels])}.",
                "Keep it where it belongs, or send the set as one of several labels.",
            )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
    return ", ".join(shown(name) for name in names[:_EXAMPLES]) + more
