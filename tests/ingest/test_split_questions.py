"""What is asked and told of splits, word by word: questions, their choices, counts and options."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from trainyard.datasets.record import IngestOptions
from workers.ingest.problems import ProblemLog
from workers.ingest.splits.assignment import Candidate, Place, SplitPlan, assign, counts
from workers.ingest.splits.questions import (
    ask_bare_training,
    ask_doubtful,
    ask_doubtful_lists,
    ask_lists_or_folders,
    ask_numbers,
    ask_several,
    ask_unused_lists,
    ask_whole_splits,
    splits_of,
)
from workers.ingest.splits.several_splits import WholeSplit

NO_LIST = "these lists do not count: folders and annotations do, else a split is drawn"
DRAW = "a new split is drawn from all images"
FURTHEST = "each image is of the split that is held out furthest"


def asked(log: ProblemLog) -> tuple[str, str, list[tuple[str, str, int, dict[str, Any], tuple[str, ...]]]]:
    """The only question: its code, its text, and of each choice all but the preview."""
    [question] = log.questions()
    choices = [(one.key, one.text, one.count, one.options, one.examples) for one in question.choices]
    return question.code, question.text, choices


AGAINST = {"a.png": "is val", "b.png": "is test"}
EXAMPLES = ("a.png is val", "b.png is test")


def test_lists_and_folders_that_disagree():
    log = ProblemLog()
    assert ask_lists_or_folders(AGAINST, "lists", "folders", log) == "furthest"
    assert asked(log) == (
        "splits_contradict",
        "2 image(s) are of another split by the lists than by folders: a.png is val.",
        [
            ("furthest", FURTHEST, 2, {"splits_from": "furthest"}, EXAMPLES),
            ("lists", "the lists count", 2, {"splits_from": "lists"}, EXAMPLES),
            ("folders", "folders and annotations count", 2, {"splits_from": "folders"}, EXAMPLES),
            ("draw", DRAW, 2, {"splits_from": "draw"}, EXAMPLES),
        ],
    )


def test_folders_that_disagree():
    log = ProblemLog()
    assert ask_several(AGAINST, log) == "furthest"
    assert asked(log) == (
        "split_ambiguous",
        "2 image(s) are of several splits by their folders and annotations: a.png is val.",
        [
            ("furthest", FURTHEST, 2, {"splits_from": "furthest"}, EXAMPLES),
            ("draw", DRAW, 2, {"splits_from": "draw"}, EXAMPLES),
        ],
    )


@pytest.mark.parametrize(
    ("named", "tells_train", "keys"),
    [
        ([], True, ["folders"]),
        (["a", "b"], True, ["folders", "lists"]),
        (["a", "b"], False, ["lists", "folders"]),
    ],
)
def test_lists_that_cannot_be_used(named: list[str], tells_train: bool, keys: list[str]):
    log = ProblemLog()
    faults = {"x.txt": "no image.", "y.txt": "twice.", "z.txt": "odd."}
    assert ask_unused_lists(faults, named, tells_train, log) == keys[0]
    code, text, choices = asked(log)
    assert (code, text) == (
        "split_lists_unused",
        "Lists of splits cannot be used as they are, so that images meant for test might be trained on. "
        "x.txt: no image.; y.txt: twice.; z.txt: odd. Else name the images of each split in the "
        "option `splits`.",
    )
    lists = "the lists count for the images that they name, each entry for all that it may mean"
    known = {
        "folders": ("folders", NO_LIST, 3, {"splits_from": "folders"}, ()),
        "lists": ("lists", lists, 2, {"splits_from": "lists"}, ("a", "b")),
    }
    assert choices == [known[key] for key in keys]


def test_lists_that_part_the_images_several_times():
    log = ProblemLog()
    several = [WholeSplit(f"{n}/*.txt", Counter(train=8, val=n)) for n in range(1, 14)]
    assert ask_whole_splits(several, ["a.png", "b.png"], log) == "1/*.txt"
    code, text, choices = asked(log)
    assert (code, text) == (
        "split_lists_contradict",
        "Lists part the images 13 times over, each time differently: 2 image(s) are of several splits, such "
        "as a.png. Which lists count? Another choice of them can be sent as `split_lists`, and "
        "names of images "
        "as `splits`.",
    )
    assert choices[0] == (
        "1/*.txt", "the lists 1/*.txt count: 8 images are of train, 1 images are of val", 9,
        {"split_lists": "1/*.txt"}, (),
    )  # fmt: skip
    assert [choice[0] for choice in choices] == [*(f"{n}/*.txt" for n in range(1, 13)), "folders"]
    assert choices[-1] == ("folders", NO_LIST, 2, {"splits_from": "folders"}, ())


def test_lists_of_several_splits_of_which_none_trains():
    log = ProblemLog()
    assert ask_whole_splits([], ["a.png"], log) is None
    _, text, choices = asked(log)
    assert text.startswith(
        "Lists name images for several splits, and leave none to train: 1 image(s) are of several splits, "
    )
    assert [choice[0] for choice in choices] == ["folders"]


def test_numbers_that_tell_splits():
    log = ProblemLog()
    assert ask_numbers("x.csv", {"0": 3, "1": 9}, log) == "higher_trains"
    assert asked(log) == (
        "split_numbers",
        "The list x.csv tells splits by numbers, and not which of them trains: 3 with 0, 9 with 1.",
        [
            ("higher_trains", "1 is train, 0 is test", 9, {"splits_from": "higher_trains"}, ()),
            ("lower_trains", "0 is train, 1 is test", 3, {"splits_from": "lower_trains"}, ()),
            ("folders", NO_LIST, 12, {"splits_from": "folders"}, ()),
        ],
    )
    log = ProblemLog()
    assert ask_numbers("x.csv", {"1": 5, "2": 1, "3": 5}, log) == "lower_trains"
    assert [choice[2] for choice in asked(log)[2]] == [5, 5, 11]


def test_what_two_or_three_numbers_stand_for():
    assert splits_of(["1", "2", "3"], "lower_trains") == {"1": "train", "2": "val", "3": "test"}
    assert splits_of(["1", "2", "3"], "higher_trains") == {"3": "train", "2": "val", "1": "test"}
    assert splits_of(["1", "2"], "higher_trains") == {"2": "train", "1": "test"}


def test_words_that_may_mean_splits():
    log = ProblemLog()
    assert ask_doubtful(["x", "y"], {"val": 2, "train": 5}, log) == "folder_words"
    assert asked(log) == (
        "split_unsure",
        "The names of x/, y/ may mean splits, or not: they differ in more words.",
        [
            (
                "folder_words", "they mean splits: 5 are of train, 2 are of val", 7,
                {"splits_from": "folder_words"}, ("x", "y"),
            ),
            (
                "as_told", "they are a part of names, and say nothing of splits", 7,
                {"splits_from": "as_told"}, ("x", "y"),
            ),
        ],
    )  # fmt: skip
    log = ProblemLog()
    assert ask_doubtful_lists(["x.txt", "y.txt"], {"val": 2, "train": 5}, log) == "lists"
    assert asked(log) == (
        "split_unsure",
        "x.txt, y.txt name(s) images of the upload, and may be called so after a split, or not.",
        [
            (
                "lists", "they list splits: 5 are of train, 2 are of val", 7, {"splits_from": "lists"},
                ("x.txt", "y.txt"),
            ),
            (
                "as_told", "they list something else, and say nothing of splits", 7,
                {"splits_from": "as_told"}, ("x.txt", "y.txt"),
            ),
        ],
    )  # fmt: skip


def test_a_set_that_shows_one_class_to_learn():
    log = ProblemLog()
    assert ask_bare_training(4, log) == "as_told"
    assert asked(log) == (
        "splits_bare",
        "The images to train and validate with show one class alone; 4 images of the test split show more.",
        [
            ("as_told", "the splits are kept as they are", 4, {"splits_from": "as_told"}, ()),
            ("draw", DRAW, 4, {"splits_from": "draw"}, ()),
        ],
    )


def image(
    name: str, given: str | None = None, fold: int | None = None, digest: str = "", *labels: int
) -> Candidate:
    return Candidate(
        name=name, file=f"{name}.png", given=given, given_fold=fold, digest=digest or name,
        classes=frozenset(labels or (0, 1)),
    )  # fmt: skip


def placed(
    samples: list[Candidate], told: str = "", names: Mapping[int, str] | None = None, **options: Any
) -> tuple[SplitPlan, ProblemLog]:
    log = ProblemLog()
    return assign(samples, IngestOptions(**options), log, told, names or {}), log


def told(log: ProblemLog) -> list[tuple[str, str, str | None, str, str]]:
    return [(one.severity, one.code, one.file, one.message, one.remedy) for one in log.problems()]


def test_a_set_with_nothing_to_train_with():
    plan, log = placed([image("a", "val"), image("b", "test")], "folders")
    assert plan == SplitPlan(places={"a": Place(split="val"), "b": Place(split="test")}, origin="folders")
    assert told(log) == [
        (
            "error", "split_without_train", None,
            "All images are meant for validation or test: none is left to train.",
            "Name images to train with too, or send the set with `splits_from: draw` to have a split drawn.",
        )
    ]  # fmt: skip


def test_a_drawn_validation_is_told():
    plan, log = placed([image(str(number), "train") for number in range(10)], "folders", val_fraction=0.3)
    assert counts(plan.places) == {"train": 7, "val": 3}
    assert plan.origin == "folders; val drawn from train: 30% by seed 0"
    assert told(log) == [
        (
            "warning", "val_drawn", None,
            "No images are meant for validation; 30% of the training images are drawn.",
            "Nothing, if that is meant; else name images for validation.",
        )
    ]  # fmt: skip
    plan, log = placed([image(str(number)) for number in range(10)], val_fraction=0.1, seed=7)
    assert (counts(plan.places), plan.origin, told(log)) == (
        {"train": 9, "val": 1},
        "drawn: 10% by seed 7",
        [],
    )


def test_images_that_are_told_no_split_train():
    plan, log = placed([image("a", "train"), image("b"), image("c", "val"), image("d")], "folders")
    assert {name: place.split for name, place in plan.places.items()} == {
        "a": "train", "b": "train", "c": "val", "d": "train",
    }  # fmt: skip
    assert told(log) == [
        (
            "warning", "split_missing", "b.png",
            "2 image(s) are told no split, unlike others, and are used to train.",
            "Nothing, if that is meant; else move them into a folder train, val or test, or name them in a "
            "list.",
        )
    ]  # fmt: skip


def test_images_that_no_list_names_are_not_used():
    samples = [image(name, "train") for name in "abcd"]
    plan, log = placed(samples, splits={"train": ["a.png"], "val": ["c.png"]})
    assert {name: place.split for name, place in plan.places.items()} == {
        "a": "train", "b": "unused", "c": "val", "d": "unused",
    }  # fmt: skip
    assert counts(plan.places) == {"train": 1, "val": 1, "unused": 2}
    assert list(counts(plan.places)) == ["train", "val", "unused"]
    assert plan.origin == "option splits"
    assert told(log) == [
        (
            "warning", "split_unlisted", "b.png",
            "2 image(s) are in none of the lists of `splits` and are not used.", "Add them to a list.",
        )
    ]  # fmt: skip


def test_copies_stay_on_the_side_that_is_held_out_furthest():
    samples = [
        image("a", "train", None, "same"), image("b", "test", None, "same"), image("c", "val", None, "same"),
        image("d", "train"), image("e", "val"),
    ]  # fmt: skip
    plan, log = placed(samples, "folders")
    assert {name: place.split for name, place in plan.places.items()} == {
        "a": "unused", "b": "test", "c": "unused", "d": "train", "e": "val",
    }  # fmt: skip
    [problem] = log.problems()
    assert (problem.severity, problem.code, problem.count) == ("warning", "image_in_two_splits", 2)
    assert problem.message == "The same image is in test as b.png; this copy, in train, is not used."
    assert (problem.file, problem.remedy) == ("a.png", "Remove one of the copies.")


def test_one_image_alone_is_not_parted():
    plan, log = placed([image("a", None, None, "same"), image("b", None, None, "same")])
    assert {place.split for place in plan.places.values()} == {"train"}
    assert told(log) == [
        (
            "warning", "single_image", None,
            "All images are the same one; a run needs one to train and another to validate.",
            "Add images and masks before a run is submitted.",
        )
    ]  # fmt: skip


def test_folds_of_the_upload_are_kept_and_the_first_validates():
    samples = [image("a", None, 2), image("b", None, 4), image("c", None, 2), image("d", "test", 3)]
    plan, log = placed(samples, "folders")
    assert plan.places == {
        "a": Place(split="val", fold=2),
        "b": Place(split="train", fold=4),
        "c": Place(split="val", fold=2),
        "d": Place(split="test"),
    }
    assert plan.origin == "folders; 2 folds of these, of which the first validates"
    assert log.guesses == [
        "of the 2 folds that the upload tells, the first validates where a run names none as data.split_index"
    ]
    plan, log = placed([image("a", "val", 1), image("b", "train", 2)], "lists")
    assert (plan.origin, log.guesses) == ("lists; 2 folds of these", [])
    assert plan.places == {"a": Place(split="val", fold=1), "b": Place(split="train", fold=2)}


def test_copies_in_several_folds_are_in_the_first():
    samples = [image("a", None, 3, "same"), image("b", None, 1, "same"), image("c", None, 2)]
    plan, log = placed(samples)
    assert {name: place.fold for name, place in plan.places.items()} == {"a": 1, "b": 1, "c": 2}
    assert told(log) == [
        (
            "warning", "image_in_two_folds", "a.png",
            "The same image is in 2 folds; all of them validate in the first.", "Remove the copies.",
        )
    ]  # fmt: skip


def test_folds_that_are_asked_for_are_drawn_and_need_images():
    plan, log = placed([image(str(number), None, 9) for number in range(7)], folds=3, seed=5)
    assert sorted(Counter(place.fold for place in plan.places.values()).items()) == [(0, 3), (1, 2), (2, 2)]
    assert {place.fold for place in plan.places.values() if place.split == "val"} == {0}
    assert (plan.origin, told(log)) == ("3 folds by seed 5", [])
    plan, log = placed([image("a"), image("b")], folds=3)
    assert told(log) == [
        (
            "error", "too_few_images", None, "2 different image(s) cannot be shared out over 3 folds.",
            "Add images, or ask for fewer folds.",
        )
    ]  # fmt: skip
    assert all(place.fold is None for place in plan.places.values())


def test_a_cap_holds_for_each_class_and_split():
    samples = [image(f"{number}", "train", None, "", 1 + number % 2) for number in range(8)]
    samples += [image(f"v{number}", "val", None, "", 1) for number in range(3)]
    plan, log = placed(samples, max_images_per_class=2)
    assert counts(plan.places) == {"train": 4, "val": 2, "unused": 5}
    assert told(log) == []
    plan, log = placed(samples, names={1: "sea", 2: "sky"}, max_images_per_class={"sky": 1, "x": 3})
    assert counts(plan.places) == {"train": 5, "val": 3, "unused": 3}
    assert told(log) == [
        (
            "error", "class_unknown", None, "`max_images_per_class` names 'x', which is no class of the set.",
            "Name some of its classes: sea, sky.",
        )
    ]  # fmt: skip


def test_a_rare_class_is_kept_before_a_common_one_and_what_has_none_stays():
    samples = [image(f"{number}", "train", None, "", 1) for number in range(6)]
    samples += [image("rare", "train", None, "", 1, 2), image("val", "val", None, "", 1)]
    samples.append(Candidate(name="none", file="none.png", given="train", classes=frozenset(), digest="none"))
    for seed in range(4):
        plan, _ = placed(samples, max_images_per_class=1, seed=seed)
        assert {name for name, place in plan.places.items() if place.split != "unused"} == {
            "rare",
            "val",
            "none",
        }


@pytest.mark.parametrize("options", [{}, {"splits_from": "as_told"}])
def test_what_shows_one_class_alone_is_asked_once(options: dict[str, Any]):
    bare = [image("a", "train", None, "", 1), image("b", "val", None, "", 1), image("c", "test", None, "", 2)]
    _, log = placed(bare, **options)
    assert [question.code for question in log.questions()] == ([] if options else ["splits_bare"])
    for other in (image("d", "val", None, "", 3), image("d", "train", None, "", 2)):
        assert placed([*bare, other], **options)[1].questions() == ()
    assert placed(bare[:2], **options)[1].questions() == ()
