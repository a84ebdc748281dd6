"""`python -m tests.ingest.layouts`: try many layouts, and tell how many were ready, asked, refused or wrong.

Exit status 0: none was wrong. 1: some were; their seeds and files are printed.
"""

import argparse
import multiprocessing
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import partial

from tests.ingest.layouts.judge import Kind
from tests.ingest.layouts.layout import Layout
from tests.ingest.layouts.schemes import layout
from tests.ingest.layouts.trial import Trial, try_layout

SHOWN_WRONG = 40
"""Wrong layouts whose files are printed; of the others, the seeds and reasons alone."""


def main(arguments: list[str]) -> int:
    """Run and print; returns the exit status."""
    asked = _parser().parse_args(arguments)
    if asked.show is not None:
        return _show(asked.show)
    seeds = range(asked.seed, asked.seed + asked.count)
    tried = [(seed, trial) for seed, trial in _tried(seeds, asked.processes, not asked.no_answers)]
    print(counts(trial for _, trial in tried))
    _print_traits(tried)
    wrong = [(seed, trial) for seed, trial in tried if trial.verdict.kind is Kind.WRONG]
    for number, (seed, trial) in enumerate(wrong):
        print(described(seed, trial, with_files=number < SHOWN_WRONG))
    for seed, trial in tried:
        if trial.verdict.kind is Kind.SHORT:
            print(described(seed, trial, with_files=False))
    return 1 if wrong else 0


def counts(trials: Iterable[Trial]) -> str:
    """How many trials had each verdict."""
    found = Counter(one.verdict.kind for one in trials)
    return f"{found.total()} layouts: " + ", ".join(f"{found[kind]} {kind}" for kind in Kind)


def described(seed: int, trial: Trial, *, with_files: bool = True) -> str:
    """A trial in a few lines, with the files of its layout."""
    made = layout(seed)
    traits = ", ".join(f"{name}: {value}" for name, value in made.traits.items())
    lines = [f"\n{trial.verdict.kind} seed {seed}: {trial.verdict.reason}", f"    {traits}"]
    return "\n".join([*lines, made.tree()] if with_files else lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.ingest.layouts", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="layouts (default 2000)")
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the first; the others follow (default 1)"
    )
    parser.add_argument("--processes", type=int, default=1, help="processes that try layouts (default 1)")
    parser.add_argument("--no-answers", action="store_true", help="do not try answers to questions")
    parser.add_argument("--show", type=int, metavar="SEED", help="print one layout and what became of it")
    return parser


def _trial_of(seed: int, *, answer: bool) -> tuple[int, Trial]:
    return seed, try_layout(layout(seed), answer=answer)


def _tried(seeds: range, processes: int, answer: bool) -> Iterator[tuple[int, Trial]]:
    one = partial(_trial_of, answer=answer)
    if processes == 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(one, seeds, chunksize=10)


def _print_traits(tried: list[tuple[int, Trial]]) -> None:
    """Verdicts by the value of each trait, those with the most that is wrong first."""
    by_trait: defaultdict[tuple[str, str], Counter[Kind]] = defaultdict(Counter)
    for seed, trial in tried:
        for trait, value in layout(seed).traits.items():
            by_trait[trait, value][trial.verdict.kind] += 1
    ranked = sorted(by_trait.items(), key=lambda entry: (entry[0][0], -entry[1][Kind.WRONG]))
    for (trait, value), found in ranked:
        print(f"  {trait} = {value}: " + ", ".join(f"{found[kind]} {kind}" for kind in Kind if found[kind]))


def _show(seed: int) -> int:
    made: Layout = layout(seed)
    trial = try_layout(made)
    print(described(seed, trial))
    for problem in trial.problems:
        print(f"  {problem.severity} {problem.code} x{problem.count} {problem.file or ''}: {problem.message}")
        print(f"      examples: {', '.join(problem.examples) or '-'}; remedy: {problem.remedy}")
    for question in trial.questions:
        print(f"  question {question.code}: {question.text}")
        for choice in question.choices:
            print(f"      {choice.key} ({choice.count}): {choice.text} {dict(choice.options)}")
    for line in trial.answers:
        print(f"  answered {line}")
    return 1 if trial.verdict.kind is Kind.WRONG else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
