"""`python -m tests.mutants [--part NAME]... [--sample 250]`: would tests of what decides notice a fault?

One thing at a time is changed (an operator, a constant, a call that is left out), and the tests that pass
through the changed function are run; a mutant for which no test fails has survived. mutmut makes those of
Python, lua_mutants.py those of the scripts in Redis. All happens in a copy of the repository below
`var/mutants`, where `<part>.txt` then has what survived and how it differs. docs/testing.md has the scores,
and of which kinds the survivors are.
"""

import argparse
import os
import sys
from argparse import RawTextHelpFormatter

from tests.mutants import lua_trial, python_trial
from tests.mutants.outcomes import WANTED, Outcomes
from tests.mutants.parts import PARTS
from tests.mutants.place import FOLDER


def main() -> None:
    """Try the parts that are asked for; ends with status 1 where a score is below WANTED."""
    parser = argparse.ArgumentParser(
        "python -m tests.mutants", description=__doc__, formatter_class=RawTextHelpFormatter
    )
    parser.add_argument(
        "--part", action="append", choices=PARTS, help="may be given again; all where it is not"
    )
    parser.add_argument(
        "--sample", type=int, default=250, help="mutants of a part, drawn by the seed; 0: all"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1, help="mutants tried at a time")
    asked = parser.parse_args()
    scores = [_try(name, asked.sample, asked.seed, asked.children) for name in asked.part or PARTS]
    sys.exit(any(score < WANTED for score in scores))


def _try(name: str, sample: int, seed: int, children: int) -> float:
    """Try one part and tell how it went; the share of its mutants that were noticed."""
    part = PARTS[name]
    trial = lua_trial if part.is_lua else python_trial
    outcomes: Outcomes = trial.run(name, part, sample, seed, children)
    outcomes.write(FOLDER / f"{name}.txt")
    print(f"{name}: {outcomes.summary()}", flush=True)
    return outcomes.score


if __name__ == "__main__":
    main()
