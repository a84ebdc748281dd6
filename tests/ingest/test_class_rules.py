"""Which values are which classes, rule by rule, and what is told of them: without any file."""

from typing import Any

import pytest

from trainyard.datasets.record import IngestOptions, Problem
from workers.ingest.classes.class_rules import (
    ClassRules,
    are_ids,
    check,
    check_variety,
    completed,
    declared,
    find,
    listed_values,
)
from workers.ingest.classes.multilabel import bit_fields, meanings, settled, several_per_pixel
from workers.ingest.items import FoundSet
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.reading.statistics import NO_CLASS, SampleCounts

ONE = {byte: frozenset({byte}) for byte in range(256)}


def reading(values: dict[int, int], file: str = "a.png") -> SampleCounts:
    """What was seen in one mask."""
    zero = (0.0, 0.0, 0.0)
    return SampleCounts(
        name="a", mask_file=file, height=1, width=1, values=values, image_sha256="", mask_sha256="",
        mean=zero, square=zero, sketch=b"",
    )  # fmt: skip


def masks(*values: int) -> list[SampleCounts]:
    return [reading(dict.fromkeys(values, 10))]


def told(log: ProblemLog) -> list[tuple[str, str, str | None, str, str]]:
    """All that a problem says."""
    return [(one.severity, one.code, one.file, one.message, one.remedy) for one in log.problems()]


def named(*names: str, **values: Any) -> ClassRules:
    return ClassRules(names=dict(enumerate(names)), **({"ignore_value": None} | values))


VOID = (
    "warning", "ignore_guessed", None,
    "The value 255 stands beside class ids and is taken as: no class, ignored.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("values", "ignored", "names", "origin", "void"),
    [
        ({0, 255}, None, {0: "background", 255: "foreground"}, "the values of the masks, 0 and 255", None),
        ({0, 255, 7}, 7, {0: "background", 255: "foreground"}, "the values of the masks, 0 and 255", 7),
        ({255, NO_CLASS}, None, {255: "foreground"}, "the values of the masks, 0 and 255", None),
        ({0, 2}, None, {0: "background", 2: "class_2"}, "the values of the masks, which are ids: 0, 2", None),
        ({1, 63}, None, {1: "class_1", 63: "class_63"}, "the values of the masks, which are ids: 1, 63",
        None),
        (
            {0, 64}, None, {0: "background", 64: "value_64"},
            "the values of the masks, each a class: 0, 64", None,
        ),
        (
            {0, 128, 255}, 3, {0: "background", 128: "value_128", 255: "value_255"},
            "the values of the masks, each a class: 0, 128, 255", 3,
        ),
        ({0, 1, 255}, None, {0: "background", 1: "class_1"},
        "the values of the masks, which are ids: 0, 1", 255),
    ],
)  # fmt: skip
def test_what_masks_show(
    values: set[int], ignored: int | None, names: dict[int, str], origin: str, void: int | None
):
    log = ProblemLog()
    colors = {1: (1, 2, 3)}
    found = find(ignored, colors, masks(*values), log)
    assert found == ClassRules(names=names, ignore_value=void, colors=colors, origin=origin)
    assert list(found.names) == sorted(names)
    is_guessed = void == 255
    remedy = "If it is a class, name all classes when you upload the set."
    assert told(log) == ([(*VOID, remedy)] if is_guessed else [])


@pytest.mark.parametrize(
    ("values", "expected"),
    [({63}, True), ({64}, False), (set(range(33, 65)), False), (set(range(32, 65)), True)],
)
def test_ids_are_small_or_dense(values: set[int], expected: bool):
    assert are_ids(values) is expected


def declare(options: dict[str, Any], **found: Any) -> ClassRules | None:
    return declared(IngestOptions(**options), FoundSet(items=[], **found))


def test_the_client_speaks_before_the_format():
    assert declare({}) is None
    colors = {2: (9, 9, 9)}
    assert declare({}, names={2: "b", 0: "a"}, ignore_value=5, colors=colors) == ClassRules(
        names={0: "a", 2: "b"}, ignore_value=5, colors=colors
    )
    own = declare({"classes": {3: "c", 1: "d"}}, names={0: "a"}, ignore_value=5)
    assert own
    assert (list(own.names.items()), own.ignore_value) == ([(1, "d"), (3, "c")], 5)
    assert declare({"classes": {5: "c", 1: "d"}}, ignore_value=5).ignore_value is None
    assert declare({"ignore_value": 7}, names={0: "a"}, ignore_value=5).ignore_value == 7
    assert declare({"ignore_value": 0, "classes": {1: "a"}}, ignore_value=5).ignore_value == 0


@pytest.mark.parametrize(
    ("options", "code", "message", "remedy"),
    [
        (
            {"classes": {1: "a", 2: "b"}, "ignore_value": 2}, "ignore_is_class",
            "The value 2 is named as a class and as the value to ignore.", "Name it as one of the two.",
        ),
        (
            {"classes": {256: "a", -1: "b", 0: "c", 255: "d"}}, "classes_range",
            "Classes need mask values from 0 to 255; given: -1, 256.",
            "Name at least two classes by values in that range.",
        ),
        (
            {"classes": {}}, "classes_range", "Classes need mask values from 0 to 255; given: none.",
            "Name at least two classes by values in that range.",
        ),
        (
            {"classes": {1: "a", 2: "a"}}, "classes_names", "Two classes have the same name.",
            "Give each class a name of its own.",
        ),
    ],
)  # fmt: skip
def test_names_that_cannot_be(options: dict[str, Any], code: str, message: str, remedy: str):
    with pytest.raises(Refused) as caught:
        declare(options)
    assert (caught.value.problem_code, caught.value.message, caught.value.remedy) == (code, message, remedy)


@pytest.mark.parametrize(
    ("names", "values", "becomes", "ignored"),
    [
        ({1: "a", 2: "b"}, {1, 2}, {1: "a", 2: "b"}, None),
        ({1: "a", 2: "b"}, {0, 1, 2}, {0: "background", 1: "a", 2: "b"}, None),
        ({1: "a", 2: "b"}, {1, 2, 255}, {1: "a", 2: "b"}, 255),
        ({1: "a", 2: "b"}, {0, 1, 2, 255}, {0: "background", 1: "a", 2: "b"}, 255),
        ({1: "a", 2: "b"}, {1, 2, 3}, {1: "a", 2: "b"}, None),
        ({1: "a", 2: "b"}, {0, 255}, {1: "a", 2: "b"}, None),
        ({0: "a", 1: "b", 2: "c"}, {0, 7, 200}, {0: "a", 7: "b", 200: "c"}, None),
        ({0: "a", 1: "b", 2: "c"}, {0, 1, 200}, {0: "a", 1: "b", 2: "c"}, None),
        ({0: "a", 1: "b"}, {0, 7, 9}, {0: "a", 1: "b"}, None),
    ],
)  # fmt: skip
def test_what_a_format_leaves_to_custom(
    names: dict[int, str], values: set[int], becomes: dict[int, str], ignored: int | None
):
    log = ProblemLog()
    rules = ClassRules(names=names, ignore_value=None, origin="kept")
    found = completed(rules, masks(*values, NO_CLASS), log, in_file=False)
    assert found == ClassRules(names=becomes, ignore_value=ignored, origin="kept")
    assert list(found.names) == list(becomes)
    assert told(log) == ([(*VOID, "If it is a class, name it, too.")] if ignored else [])
    guesses = {
        "background": "0 is the background, since names are given for other values alone",
        "a": "the names belong to the values 0, 7, 200 in order, since no other fits",
    }
    is_moved = becomes != names
    assert log.guesses == ([guesses[becomes[0]]] if is_moved else [])


def test_a_value_to_ignore_is_none_to_complete():
    log = ProblemLog()
    rules = ClassRules(names={1: "a", 2: "b"}, ignore_value=0)
    assert completed(rules, masks(0, 1, 2, 255), log, in_file=False) == rules
    assert completed(rules, masks(0, 1, 2), log, in_file=False) == rules


def test_names_numbered_otherwise_are_asked_for():
    log = ProblemLog("assume")
    one_based = ClassRules(names={1: "background", 2: "cat"}, ignore_value=None)
    assert completed(one_based, masks(0, 1, 255), log, in_file=True).names == {0: "background", 1: "cat"}
    zero_based = ClassRules(names={0: "cat", 1: "dog"}, ignore_value=None)
    moved = completed(zero_based, masks(0, 1, 2, 255), log, in_file=True).names
    assert moved == {0: "background", 1: "cat", 2: "dog"}
    assert completed(zero_based, masks(0, 1, 2), log, in_file=False) == zero_based
    single = ClassRules(names={0: "cat"}, ignore_value=None)
    assert completed(single, masks(0, 1), log, in_file=True) == single


def test_values_that_are_no_class_and_classes_that_no_mask_has():
    log = ProblemLog()
    rules = named("a", "b", ignore_value=9)
    strange = reading({0: 5, 9: 1, NO_CLASS: 2, **{value: value for value in range(20, 31)}}, "b.png")
    check(rules, [reading({0: 1, 1: 1}), strange], "Do this", log)
    listed = ", ".join(f"{value} ({value} pixels)" for value in range(20, 30))
    message = f"The mask has values that are no class: {listed} and more."
    assert told(log) == [("error", "unknown_value", "b.png", message, "Do this; the classes are 0, 1.")]

    log = ProblemLog()
    check(rules, [reading({0: 1, 3: 7})], "Do this", log)
    message = "The mask has values that are no class: 3 (7 pixels)."
    assert told(log) == [("error", "unknown_value", "a.png", message, "Do this; the classes are 0, 1.")]

    log = ProblemLog()
    check(rules, [reading({0: 1})], "", log)
    remedy = "Check the values, or leave the classes out."
    message = "No mask has a pixel of 1 class(es): 'b' (value 1)."
    assert told(log) == [("warning", "class_absent", None, message, remedy)]

    log = ProblemLog()
    check(named(*(f"c{number}" for number in range(22))), [reading({0: 1})], "", log)
    listed = ", ".join(f"'c{number}' (value {number})" for number in range(1, 21))
    message = f"No mask has a pixel of 21 class(es): {listed} and more."
    assert told(log) == [("warning", "class_absent", None, message, remedy)]

    log = ProblemLog()
    check(rules, [reading({0: 1, 1: 1, 9: 4})], "", log)
    assert told(log) == []


def test_fewer_than_two_classes_or_too_many():
    remedy = (
        "Send masks in which at least two classes occur; background counts as one. Where their values are "
        "not those of the format that was read, send `format: pictures`."
    )
    for values, message in (
        ((1, 7), "All masks have one class value only: 1."),
        ((7,), "No mask has a labelled pixel."),
    ):
        log = ProblemLog()
        check_variety(named("a", "b"), masks(*values), log)
        assert told(log) == [("error", "single_value", None, message, remedy)]
    for count in (255, 256):
        log = ProblemLog()
        check_variety(named(*map(str, range(count))), masks(0, 1), log)
        message = "There are 256 classes; at most 255 can be told apart."
        remedy = "Merge classes, or name one value as the value to ignore."
        assert told(log) == ([("error", "too_many_classes", None, message, remedy)] if count == 256 else [])


def test_what_training_sees():
    rules = ClassRules(names={0: "background", 7: "a", 9: "b"}, ignore_value=None, colors={9: (1, 2, 3)})
    found = [(one.index, one.value, one.name, one.color) for one in rules.prepared()]
    assert found == [
        (0, 0, "background", (0, 0, 0)), (1, 7, "a", (60, 140, 230)), (2, 9, "b", (1, 2, 3)),
    ]  # fmt: skip
    assert named("a").prepared()[0].color == (230, 80, 60)
    many = named(*(f"c{number}" for number in range(15))).prepared()
    assert many[1].color != (0, 0, 0)
    assert [one.color for one in many[11:]] == [
        (20, 120, 110),
        (121, 181, 242),
        (191, 19, 55),
        (70, 140, 76),
    ]
    assert len({one.color for one in named(*map(str, range(60))).prepared()}) == 60


def test_each_byte_becomes_an_index_or_bits():
    rules = ClassRules(names={0: "a", 4: "b", 9: "c"}, ignore_value=None)
    table = rules.table({0: frozenset({0}), 1: frozenset({4}), 2: frozenset({4, 9}), 3: frozenset({8})})
    assert list(table[:5]) == [0, 1, 255, 255, 255]
    assert len(table) == 256
    several = ClassRules(names={4: "b", 9: "c"}, ignore_value=None, task="multilabel")
    table = several.table({0: frozenset(), 1: frozenset({4}), 2: frozenset({4, 9}), 3: frozenset({8, 9})})
    assert list(table[:5]) == [0, 1, 3, 2, 0]
    assert len(table) == 256


def test_values_are_told_in_order_and_only_so_many():
    assert listed_values({3, 1}) == "1, 3"
    assert listed_values(range(20)) == ", ".join(map(str, range(20)))
    assert listed_values(range(20, -1, -1)) == ", ".join(map(str, range(20))) + " and more"


def test_bits_of_masks_are_values():
    found = bit_fields([reading({5: 1}), reading({8: 1})])
    assert found == {0: frozenset({0}), 5: frozenset({1, 3}), 8: frozenset({4})}
    assert bit_fields([]) == {0: frozenset({0})}
    mapped = meanings({1: frozenset({1, 2}), 2: frozenset({2}), 3: frozenset({1})}, [9, 5, 0])
    assert mapped == {1: frozenset({5}), 2: frozenset({0}), 3: frozenset({5})}


def overlap(options: dict[str, Any], rules: ClassRules | None) -> tuple[Any, list[Problem]]:
    shown = {0: frozenset({0}), 1: frozenset({1}), 3: frozenset({0, 1, 2})}
    log = ProblemLog()
    seen = [reading({0: 2, 3: 4}), reading({3: 9, 1: 1}, "b.png"), reading({1: 3}, "c.png")]
    return settled(rules, shown, seen, IngestOptions(**options), log), list(log.problems())


def test_a_set_with_overlap_is_multilabel_and_says_so():
    rules = ClassRules(names={0: "none", 1: "a", 2: "b"}, ignore_value=4, origin="kept")
    (kept, shown), problems = overlap({}, rules)
    assert kept == ClassRules(names={1: "a", 2: "b"}, ignore_value=None, task="multilabel", origin="kept")
    assert shown == {0: frozenset(), 1: frozenset({1}), 3: frozenset({1, 2})}
    [problem] = problems
    assert (problem.severity, problem.code, problem.file) == ("warning", "multilabel_overlap", "b.png")
    assert problem.message == (
        "13 pixels of 2 image(s) are in the masks of several classes, 9 of them here: the set is kept as "
        "multilabel, for runs of that task."
    )
    assert problem.remedy == (
        "Train it with the task multilabel; or, for one class per pixel, merge classes with a label map."
    )
    (kept, shown), problems = overlap({}, None)
    assert (kept, problems) == (None, [])
    assert shown[3] == frozenset({0, 1, 2})


def test_a_set_without_overlap_stays_as_it_is():
    rules, log = named("a", "b"), ProblemLog()
    assert settled(rules, ONE, masks(0, 1), IngestOptions(), log) == (rules, ONE)
    assert told(log) == []


@pytest.mark.parametrize("options", [{"ignore_value": 0}, {"label_map": {1: None, 2: 3}}])
def test_no_pixel_of_several_classes_is_ignored(options: dict[str, Any]):
    with pytest.raises(Refused) as caught:
        several_per_pixel(named("a", "b"), IngestOptions(**options))
    assert (caught.value.problem_code, caught.value.message, caught.value.remedy) == (
        "multilabel_ignore",
        "Pixels of this set have several classes; no pixel of such a set can be ignored.",
        "Leave ignore_value out, and map values to 0 to drop them; or draw the classes without overlap.",
    )


def test_at_most_255_classes_overlap():
    most = {value: str(value) for value in range(256)}
    assert len(several_per_pixel(ClassRules(names=most, ignore_value=None), IngestOptions()).names) == 255
    with pytest.raises(Refused) as caught:
        several_per_pixel(ClassRules(names=most | {256: "x"}, ignore_value=None), IngestOptions())
    assert (caught.value.problem_code, caught.value.message, caught.value.remedy) == (
        "multilabel_overlap",
        "256 classes are named and some overlap; at most 255 can.",
        "Name at most 255 classes, or draw them without overlap.",
    )
    mapped = IngestOptions(label_map={1: 2})
    assert several_per_pixel(named("a", "b"), mapped).names == {1: "b"}
