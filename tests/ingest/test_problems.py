"""Problems of one kind are one; questions are asked, assumed or refused."""

from trainyard.datasets.record import Problem
from workers.ingest.problems import MAX_EXAMPLES, Offer, ProblemLog

OFFERS = [
    Offer(key="one_class", text="objects of one class", count=3, options={"objects": "one_class"}),
    Offer(key="classes", text="classes", count=3, options={"objects": "classes"}, examples=["a\n.png"] * 30),
]


def test_problems_of_one_code_are_counted_with_the_first_few_as_examples() -> None:
    log = ProblemLog()
    for index in range(1000):
        log.warning("alone", f"{index}.png", "It is alone.", "Add its mask.")
    log.error("broken", "x.png", "It is broken.", "Replace it.")
    broken, alone = log.problems()
    assert (broken.code, broken.count, broken.examples) == ("broken", 1, ())
    assert (alone.file, alone.count) == ("0.png", 1000)
    assert alone.examples == tuple(f"{index}.png" for index in range(MAX_EXAMPLES))


def test_examples_tell_messages_that_differ() -> None:
    log = ProblemLog()
    for value in (7, 9):
        log.error("unknown", f"{value}.png", f"It has {value}.", "Name it.")
    [problem] = log.problems()
    assert problem.examples == ("7.png: It has 7.", "9.png: It has 9.")


def test_what_other_logs_counted_adds_up() -> None:
    log, other = ProblemLog(), ProblemLog()
    for one in (log, other):
        for index in range(6):
            one.warning("alone", f"{index}.png", "It is alone.", "Add its mask.")
    log.extend(other.problems())
    [problem] = log.problems()
    assert (problem.count, len(problem.examples)) == (12, MAX_EXAMPLES)
    assert all(isinstance(one, Problem) for one in log.problems())


def test_a_question_blocks_until_it_is_answered() -> None:
    log = ProblemLog()
    assert log.ask("objects", "What are the values?", OFFERS) == "one_class"
    assert (log.is_blocked(), log.has_errors, log.problems()) == (True, False, ())
    [question] = log.questions()
    assert [one.key for one in question.choices] == ["one_class", "classes"]
    assert len(question.choices[1].examples) == MAX_EXAMPLES
    assert "\n" not in question.choices[1].examples[0]


def test_a_question_may_be_settled_beforehand_and_is_kept_as_a_warning() -> None:
    log = ProblemLog("assume")
    assert log.ask("objects", "What are the values?", OFFERS) == "one_class"
    [warning] = log.problems()
    assert (log.is_blocked(), warning.severity, warning.code) == (False, "warning", "objects")
    assert "objects of one class" in warning.message
    assert "`objects: classes`" in warning.remedy


def test_a_question_may_be_an_error() -> None:
    log = ProblemLog("fail")
    log.ask("objects", "What are the values?", OFFERS)
    [error] = log.problems()
    assert (log.has_errors, error.code, log.questions()) == (True, "objects", ())
    assert "`objects: one_class`" in error.remedy
