"""Which samples train, validate and test: by lists, by folders, by a seeded draw, and in folds."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.made import named
from trainyard.datasets.record import IngestOptions, Problem
from workers.ingest.problems import ProblemLog
from workers.ingest.splits.assignment import Candidate, Place, assign, counts


def candidate(
    name: str, classes: str = "0", given: str | None = None, digest: str | None = None
) -> Candidate:
    """A sample with the classes of those digits; without a digest it has no copy."""
    return Candidate(
        name=name,
        file=f"images/{name}.png",
        given=given,
        classes=frozenset(map(int, classes)),
        digest=digest or name,
    )


def plain(count: int, **values: Any) -> list[Candidate]:
    return [candidate(f"n{index:03d}", **values) for index in range(count)]


def placed(samples: list[Candidate], **options: Any) -> tuple[dict[str, Place], tuple[Problem, ...]]:
    log = ProblemLog()
    return assign(samples, IngestOptions(**options), log).places, log.problems()


def splits_of(samples: list[Candidate], **options: Any) -> dict[str, str]:
    """The split of each sample, of a set that nothing is wrong with."""
    places, problems = placed(samples, **options)
    assert problems == ()
    return {name: place.split for name, place in places.items()}


def occurrences(samples: list[Candidate], places: dict[str, Place], split: str) -> Counter[int]:
    return Counter(label for one in samples if places[one.name].split == split for label in one.classes)


class TestDraw:
    @pytest.mark.parametrize(("fraction", "val"), [(0.2, 20), (0.0, 1), (1.0, 99), (0.005, 1)])
    def test_the_fraction_is_kept_with_one_image_at_least_on_each_side(self, fraction: float, val: int):
        places, _ = placed(plain(100), val_fraction=fraction)
        assert counts(places) == {"train": 100 - val, "val": val}

    def test_it_depends_on_the_seed_and_not_on_the_order(self):
        names = plain(100)
        assert splits_of(names, seed=1) == splits_of(names[::-1], seed=1)
        assert splits_of(names, seed=1) != splits_of(names, seed=2)

    def test_classes_are_spread_as_the_images_are(self):
        samples = [candidate(f"n{i:03d}", "0" + "1" * (i < 50) + "2" * (i % 10 == 0)) for i in range(100)]
        places, _ = placed(samples, val_fraction=0.2)
        found = occurrences(samples, places, "val")
        assert found[0] == 20
        assert found[1] == pytest.approx(10, abs=1)
        assert found[2] == 2

    @pytest.mark.parametrize("seed", range(5))
    def test_a_class_of_two_images_is_on_both_sides(self, seed: int):
        samples = [*plain(40), candidate("rare-1", "07"), candidate("rare-2", "07"), candidate("lone", "08")]
        places, _ = placed(samples, val_fraction=0.1, seed=seed)
        assert occurrences(samples, places, "val")[7] == 1
        assert occurrences(samples, places, "train")[7] == 1
        assert places["lone"].split == "train"

    def test_images_of_no_class_are_shared_out_too(self):
        places, _ = placed(plain(10, classes=""), val_fraction=0.5)
        assert counts(places) == {"train": 5, "val": 5}

    def test_a_single_image_and_its_copies_stay_to_train_with_a_warning(self):
        for samples in (plain(1), plain(5, digest="same")):
            places, problems = placed(samples)
            assert counts(places) == {"train": len(samples)}
            assert [(one.severity, one.code) for one in problems] == [("warning", "single_image")]

    @given(
        st.lists(st.tuples(st.sets(st.integers(0, 5)), st.integers(0, 12)), min_size=2, max_size=40),
        st.floats(0.05, 0.9),
        st.integers(0, 9),
    )
    def test_copies_stay_together_and_no_side_is_empty(
        self, made: list[tuple[set[int], int]], fraction: float, seed: int
    ):
        samples = [
            candidate(f"n{i}", "".join(map(str, labels)), digest=str(digest))
            for i, (labels, digest) in enumerate(made)
        ]
        places, _ = placed(samples, val_fraction=fraction, seed=seed)
        sides = {(one.digest, places[one.name].split) for one in samples}
        digests = {one.digest for one in samples}
        assert len(sides) == len(digests)
        if len(digests) > 1:
            assert counts(places).keys() == {"train", "val"}


class TestFolders:
    def test_they_are_followed(self):
        samples = [candidate(split, given=split) for split in ("train", "val", "test")]
        assert splits_of(samples) == {split: split for split in ("train", "val", "test")}

    def test_val_is_drawn_from_train_where_it_is_missing(self):
        samples = [*plain(10, given="train"), candidate("t", given="test")]
        places, problems = placed(samples)
        assert counts(places) == {"train": 8, "val": 2, "test": 1}
        assert [one.code for one in problems] == ["val_drawn"]

    def test_images_outside_of_them_train(self):
        samples = [candidate("a", given="train"), candidate("b", given="val"), candidate("c")]
        places, problems = placed(samples)
        assert places["c"].split == "train"
        assert [(one.code, one.file) for one in problems] == [("split_missing", "images/c.png")]

    def test_a_set_without_training_images_is_refused(self):
        _, problems = placed([candidate("a", given="val"), candidate("b", given="test")])
        assert [one.code for one in problems] == ["split_without_train"]

    def test_a_copy_stays_only_where_it_is_held_out_furthest(self):
        samples = [
            *plain(3, given="train"),
            candidate("copy-in-train", given="train", digest="x"),
            candidate("copy-in-val", given="val", digest="x"),
            candidate("copy-in-test", given="test", digest="x"),
            candidate("also-in-test", given="test", digest="x"),
            candidate("val", given="val"),
        ]
        places, problems = placed(samples)
        assert {name: places[name].split for name in ("copy-in-train", "copy-in-val", "copy-in-test")} == {
            "copy-in-train": "unused",
            "copy-in-val": "unused",
            "copy-in-test": "test",
        }
        assert places["also-in-test"].split == "test"
        assert {one.code for one in problems} == {"image_in_two_splits"}
        assert {file for _, file in named(problems)} == {"images/copy-in-train.png", "images/copy-in-val.png"}


class TestLists:
    def test_names_paths_and_stems_are_understood(self):
        samples = plain(4)
        lists = {"train": ["n000", "n001.png"], "val": ["images/n002.png"], "test": ["images/n003"]}
        places, problems = placed(samples, splits=lists)
        assert [places[one.name].split for one in samples] == ["train", "train", "val", "test"]
        assert problems == ()

    def test_they_go_before_folders_and_the_rest_is_not_used(self):
        samples = plain(3, given="test")
        places, problems = placed(samples, splits={"train": ["n000"], "val": ["n001"]})
        assert [places[one.name].split for one in samples] == ["train", "val", "unused"]
        assert [(one.severity, one.code) for one in problems] == [("warning", "split_unlisted")]

    def test_unknown_names_are_listed(self):
        _, problems = placed(plain(2), splits={"train": ["n000", "nope"], "val": ["n001", "neither"]})
        assert [(one.severity, one.code) for one in problems] == [("error", "split_unknown_name")]
        assert "nope, neither" in problems[0].message

    def test_a_name_of_two_images_needs_its_folder(self):
        samples = [
            Candidate(name=name, file=f"{name}.png", given=None, classes=frozenset(), digest=name)
            for name in ("a/1", "b/1", "a/2")
        ]
        _, problems = placed(samples, splits={"train": ["1"], "val": ["a/2"]})
        assert problems[0].code == "split_ambiguous_name"
        places, problems = placed(samples, splits={"train": ["a/1", "2"], "val": ["b/1.png"]})
        assert problems == ()
        assert {name: place.split for name, place in places.items()} == {
            "a/1": "train",
            "a/2": "train",
            "b/1": "val",
        }

    def test_one_image_in_two_lists_is_refused(self):
        _, problems = placed(plain(2), splits={"train": ["n000", "n001"], "val": ["n000.png"]})
        assert "split_listed_twice" in [one.code for one in problems]

    def test_composed_and_decomposed_letters_are_the_same(self):
        samples = [candidate("Ku\N{COMBINING DIAERESIS}che"), candidate("b")]
        places, problems = placed(
            samples, splits={"train": ["K\N{LATIN SMALL LETTER U WITH DIAERESIS}che"], "val": ["b"]}
        )
        assert problems == ()
        assert counts(places) == {"train": 1, "val": 1}


class TestFolds:
    def test_they_are_equal_and_the_first_validates(self):
        places, problems = placed(plain(11), folds=4)
        assert problems == ()
        assert Counter(place.fold for place in places.values()) == {0: 3, 1: 3, 2: 3, 3: 2}
        assert {place.split for place in places.values() if place.fold == 0} == {"val"}
        assert {place.split for place in places.values() if place.fold != 0} == {"train"}

    def test_each_has_its_part_of_a_class(self):
        samples = [candidate(f"n{i:03d}", "0" + "1" * (i % 7 == 0)) for i in range(35)]
        places, _ = placed(samples, folds=5)
        rare = Counter(places[one.name].fold for one in samples if 1 in one.classes)
        assert rare == dict.fromkeys(range(5), 1)

    def test_the_folders_split_stays_and_test_is_in_no_fold(self):
        samples = [
            *plain(6, given="train"),
            *[candidate(f"v{i}", given="val") for i in range(3)],
            candidate("t", given="test"),
        ]
        places, problems = placed(samples, folds=3)
        assert problems == ()
        assert counts(places) == {"train": 6, "val": 3, "test": 1}
        assert Counter(place.fold for place in places.values()) == {0: 3, 1: 3, 2: 3, None: 1}

    def test_copies_are_in_one_fold(self):
        samples = [candidate(f"n{i}", digest=str(i // 3)) for i in range(30)]
        places, _ = placed(samples, folds=5)
        assert len({(one.digest, places[one.name].fold) for one in samples}) == 10

    def test_more_folds_than_images_are_refused(self):
        _, problems = placed(plain(3), folds=4)
        assert [one.code for one in problems] == ["too_few_images"]


class TestCap:
    def test_it_holds_in_each_split(self):
        samples = [
            candidate(f"{split}{i}", "01", given=split) for split in ("train", "val") for i in range(9)
        ]
        places, _ = placed(samples, max_images_per_class=4)
        assert counts(places) == {"train": 4, "val": 4, "unused": 10}

    def test_rare_classes_are_kept_whole(self):
        samples = [*plain(20, given="train"), *[candidate(f"r{i}", "05", given="train") for i in range(3)]]
        samples.append(candidate("v", given="val"))
        places, _ = placed(samples, max_images_per_class=5)
        assert all(places[f"r{i}"].split == "train" for i in range(3))
        assert occurrences(samples, places, "train") == {0: 5, 5: 3}

    def test_folds_are_of_what_is_left(self):
        places, _ = placed(plain(30), max_images_per_class=10, folds=5)
        assert counts(places) == {"train": 8, "val": 2, "unused": 20}
        assert all((place.fold is None) == (place.split == "unused") for place in places.values())


class TestOrigin:
    @pytest.mark.parametrize(
        ("splits", "told", "options", "origin"),
        [
            ((None, None), "", {}, "drawn: 20% by seed 0"),
            ((None, None), "", {"val_fraction": 0.5, "seed": 7}, "drawn: 50% by seed 7"),
            (("train", "val"), "folders train/, val/", {}, "folders train/, val/"),
            (("train", "test"), "lists a.txt", {}, "lists a.txt; val drawn from train: 20% by seed 0"),
            ((None, None), "", {"folds": 2}, "2 folds by seed 0"),
            (("train", "val"), "folders a/", {"folds": 2, "seed": 3}, "folders a/; 2 folds by seed 3"),
            ((None, None), "", {"splits": {"train": ["n0"], "val": ["n1"]}}, "option splits"),
        ],
    )
    def test_it_is_said(
        self, splits: tuple[str | None, ...], told: str, options: dict[str, Any], origin: str
    ):
        samples = [candidate(f"n{index}", given=split) for index, split in enumerate(splits)]
        assert assign(samples, IngestOptions(**options), ProblemLog(), told).origin == origin
