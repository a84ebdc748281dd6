"""Mutants of scripts: what is changed, that nothing else is, and which scripts it may concern."""

from pathlib import Path

import pytest

from tests.mutants.lua_mutants import mutants, users
from tests.mutants.lua_words import words
from tests.mutants.outcomes import Outcomes, drawn
from tests.mutants.parts import PARTS
from trainyard.settings import REPOSITORY
from trainyard.store import connection

SCRIPT = """-- a remark with 'words' == and 1
local id = ARGV[1]
if not has(id) then return {'missing', {}} end
redis.call('HSET', key_of('run', id),
  'a', 1)
found[#found + 1] = id
if a <= 2 and b then tell(id) else forget(id) end
return {'ok', {}}
"""


def changes(before: str) -> set[str]:
    return {mutant.after for mutant in mutants("script", SCRIPT) if mutant.before == before}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<=", {"<"}),
        ("and", {"or"}),
        ("not", {""}),
        ("2", {"(2 + 1)"}),
        ("'missing'", {"'XXmissingXX'"}),
        ("'HSET'", set()),
        ("'words'", set()),
        ("not has(id)", {"not (not has(id))"}),
        ("a <= 2 and b", {"not (a <= 2 and b)"}),
        ("redis.call('HSET', key_of('run', id),\n  'a', 1)", {""}),
        ("found[#found + 1] = id", {""}),
        ("tell(id)", {""}),
        ("forget(id)", {""}),
        ("id = ARGV[1]", set()),
        ("has(id)", set()),
    ],
)
def test_what_is_changed_and_into_what(before: str, after: set[str]):
    assert changes(before) == after


def test_a_mutant_differs_in_one_place_and_tells_its_line():
    for mutant in mutants("script", SCRIPT):
        changed = mutant.applied(SCRIPT)
        rest = len(SCRIPT) - mutant.start - len(mutant.before)
        assert changed[: mutant.start] == SCRIPT[: mutant.start]
        assert changed.endswith(SCRIPT[len(SCRIPT) - rest :])
        assert changed != SCRIPT
        assert SCRIPT.splitlines()[mutant.line - 1].count(mutant.before.splitlines()[0])


def test_a_difference_has_the_whole_lines():
    left_out = next(mutant for mutant in mutants("script", SCRIPT) if mutant.before.startswith("redis.call"))
    assert left_out.difference(SCRIPT) == "-redis.call('HSET', key_of('run', id),\n-  'a', 1)\n"


def test_words_of_every_script_are_known_and_names_of_mutants_are_their_own():
    for path in (Path(connection.__file__).parent / "lua").glob("*.lua"):
        made = mutants(path.stem, path.read_text())
        assert len({mutant.name for mutant in made}) == len(made)


def test_what_is_not_known_is_refused():
    with pytest.raises(ValueError, match="line 2"):
        words("local a = 1\nlocal b = [[long]] & 1")


def test_a_change_of_the_shared_part_concerns_those_that_come_to_it():
    prelude = "local function a() return 1 end\n\nlocal function b() return a() end\n\nlocal C, D = 1, 2\n"
    scripts = {"first": "return b()", "second": "return C", "third": "return a + D", "fourth": "return 1"}
    assert users(scripts, prelude, prelude.index("return 1")) == {"first", "third"}
    assert users(scripts, prelude, prelude.index("return a")) == {"first"}
    assert users(scripts, prelude, prelude.index("= 1, 2")) == {"second", "third"}


def test_the_same_mutants_are_drawn_each_time_and_what_was_not_noticed_is_listed(tmp_path: Path):
    assert drawn(range(9), 3, 1) == drawn(range(9), 3, 1) != drawn(range(9), 3, 2)
    assert drawn(range(9), 0, 1) == drawn(range(9), 12, 1) == list(range(9))
    outcomes = Outcomes(
        9, {"a": "killed", "b": "timeout", "c": "survived", "d": "no tests"}, {"c": "-x\n+y\n"}
    )
    outcomes.write(tmp_path / "part.txt")
    assert outcomes.score == 0.5
    assert (tmp_path / "part.txt").read_text() == (
        "50.0% of 4 of 9 mutants were noticed (1 killed, 1 timeout, 1 survived, 1 no tests)\n"
        "\nc: survived\n-x\n+y\n\nd: no tests\n"
    )


@pytest.mark.parametrize("name", PARTS)
def test_what_a_part_names_is_there(name: str):
    part = PARTS[name]
    assert all(list(REPOSITORY.glob(pattern)) for pattern in part.files)
    for test in (*part.tests, *part.left_out):
        file, _, function = test.partition("::")
        assert f"def {function.partition('[')[0]}" in (REPOSITORY / "tests" / file).read_text()
