"""Makes uploads whose images have labels."""

from collections.abc import Sequence

from tests.ingest.made import Bench, encoded, photo
from trainyard.datasets.record import DatasetSummary


def picture(number: int) -> bytes:
    return encoded(photo(number, 20, 24), "JPEG")


def in_folders(*folders: str, each: int = 3, name: str = "img{}.jpg") -> dict[str, bytes]:
    """So many pictures in each folder, all different, whose names are counted through."""
    return {
        f"{folder}/{name.format(place * each + number)}": picture(place * each + number)
        for place, folder in enumerate(folders)
        for number in range(each)
    }


def loose(count: int, folder: str = "images", name: str = "{}.jpg") -> dict[str, bytes]:
    return {f"{folder}/{name.format(number)}": picture(number) for number in range(count)}


def table(heads: str, rows: Sequence[object]) -> bytes:
    """A CSV of these rows, each a tuple."""
    lines = [heads, *(",".join(map(str, row)) for row in rows if isinstance(row, tuple))]
    return "\n".join(lines).encode()


def summary(bench: Bench) -> DatasetSummary:
    assert bench.result is not None
    assert bench.result.summary is not None, (bench.result.problems, bench.result.questions)
    return bench.result.summary


def labels(bench: Bench) -> dict[str, tuple[str, ...]]:
    """The names of the labels of each prepared sample, by its name."""
    prepared = bench.prepared
    assert prepared.kinds == ("labels",)
    names = [info.name for info in prepared.classes]
    return {sample.name: tuple(names[index] for index in sample.classes) for sample in prepared.samples}


def splits(bench: Bench) -> dict[str, str]:
    return {sample.name: sample.split for sample in bench.prepared.samples}


def asked(bench: Bench) -> list[str]:
    assert bench.result is not None
    return [question.code for question in bench.result.questions]
