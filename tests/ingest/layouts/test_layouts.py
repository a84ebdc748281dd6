"""Of random layouts with a known truth, none is ready as anything else.

`python -m tests.ingest.layouts` tries more.
"""

from tests.ingest.layouts.__main__ import counts, described
from tests.ingest.layouts.judge import Kind
from tests.ingest.layouts.schemes import layout
from tests.ingest.layouts.trial import try_layout

ONCE_WRONG = (1248, 1864)
SEEDS = (*range(100), *ONCE_WRONG)
SHOWN = 8
"""Wrong layouts whose files are shown."""


def test_a_layout_is_read_as_it_is_meant_or_asked_about_or_refused() -> None:
    trials = {seed: try_layout(layout(seed)) for seed in SEEDS}
    print(counts(list(trials.values())))
    wrong = [(seed, trial) for seed, trial in trials.items() if trial.verdict.kind is Kind.WRONG]
    told = [described(seed, trial, with_files=number < SHOWN) for number, (seed, trial) in enumerate(wrong)]
    assert not wrong, "\n".join([counts(list(trials.values())), *told])


def test_a_seed_makes_the_same_layout_again() -> None:
    for seed in range(0, 100, 9):
        one, other = layout(seed), layout(seed)
        assert list(one.files.items()) == list(other.files.items())
        assert one.traits == other.traits
        assert one.pairs.keys() == other.pairs.keys()
