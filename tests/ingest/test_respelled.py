"""Images and masks whose names say the same in another spelling are read, or asked about."""

import pytest

from tests.ingest.layouts.judge import Kind
from tests.ingest.layouts.layout import Draw
from tests.ingest.layouts.public_sets import SPELLINGS, made
from tests.ingest.layouts.trial import try_layout
from tests.ingest.made import Bench, codes, drawn, encoded, photo

ASKED = {"regions", "counted within", "counted within, words"}


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_same_in_another_spelling(name: str) -> None:
    verdict = try_layout(made(Draw(1), name)).verdict
    assert verdict.kind == (Kind.ASKED if name in ASKED else Kind.TRUTH), verdict
    assert name not in ASKED or verdict.reason == "several_masks"


def files(*pairs: tuple[str, str]) -> dict[str, bytes]:
    made = {}
    for number, (image, mask) in enumerate(pairs):
        made[image], made[mask] = encoded(photo(number, 48, 48)), encoded(drawn(number, 255))
    return made


@pytest.mark.parametrize(
    "pairs",
    [
        [(f"images/{n}_{n + 1}_{n + 2}.png", f"masks/{n + 2}_{n}_{n + 9}.png") for n in range(4)],
        [(f"images/site{n}/a.png", f"masks/site{n + 7}_a.png") for n in range(4)],
    ],
)
def test_what_is_called_otherwise_is_not_paired(bench: Bench, pairs: list[tuple[str, str]]) -> None:
    result = bench.run(files(*pairs))
    assert result.summary is None
    assert result.questions or codes(result)
