"""The seeded draw, and the folders that forestall it."""

import pytest

from tests.ingest.made import Bench, codes, encoded, folders, mask, photo
from trainyard.datasets import IngestOptions
from workers.ingest.problems import ProblemLog
from workers.ingest.splits import assign, counts

NAMES = [f"n{index}" for index in range(100)]


def drawn(names: list[str], **options: float) -> dict[str, str]:
    log = ProblemLog()
    splits = assign(dict.fromkeys(names), IngestOptions(**options), log)  # type: ignore[arg-type]
    assert log.problems() == ()
    return splits


@pytest.mark.parametrize(("fraction", "val"), [(0.2, 20), (0.0, 1), (1.0, 99), (0.005, 1)])
def test_the_fraction_is_kept_with_one_image_at_least_on_each_side(fraction: float, val: int) -> None:
    assert counts(drawn(NAMES, val_fraction=fraction)) == {"train": 100 - val, "val": val}


def test_the_draw_depends_on_the_seed_and_not_on_the_order() -> None:
    assert drawn(NAMES, seed=1) == drawn(NAMES[::-1], seed=1)
    assert drawn(NAMES, seed=1) != drawn(NAMES, seed=2)


def test_one_image_is_too_few(bench: Bench) -> None:
    assert codes(bench.run(folders([mask(0, 1)]))) == ["too_few_images"]


def split_files(*splits: str) -> dict[str, bytes]:
    files = {}
    for index, split in enumerate(splits):
        files[f"{split}/images/{index}.png"] = encoded(photo(index))
        files[f"{split}/masks/{index}.png"] = encoded(mask(0, 1))
    return files


def test_val_is_drawn_from_train_where_it_is_missing(bench: Bench) -> None:
    result = bench.run(split_files(*["train"] * 10, "test", "test"))
    assert result.summary is not None
    assert result.summary.splits == {"train": 8, "val": 2, "test": 2}
    assert codes(result, "warning") == ["val_drawn"]


def test_images_outside_the_split_folders_train(bench: Bench) -> None:
    result = bench.run(split_files("train", "val", "."))
    assert result.summary is not None
    assert result.summary.splits == {"train": 2, "val": 1}
    assert codes(result, "warning") == ["split_missing"]


def test_a_set_without_training_images_is_refused(bench: Bench) -> None:
    assert codes(bench.run(split_files("val", "test"))) == ["split_without_train"]
