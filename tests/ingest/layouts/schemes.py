"""All layouts, by seed."""

from tests.ingest.layouts.composed import composed
from tests.ingest.layouts.layout import Draw, Layout
from tests.ingest.layouts.published import published
from tests.ingest.layouts.several import several

SHARES = (composed,) * 5 + (published,) * 2 + (several,) * 3
"""How often each family comes, in ten."""


def layout(seed: int) -> Layout:
    """The layout of this seed; the same whenever it is asked for."""
    draw = Draw(seed)
    return draw.one_of(SHARES)(draw)
