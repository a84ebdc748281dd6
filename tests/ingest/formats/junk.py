"""Sound documents with a piece replaced by junk, and what readers make of them."""

import copy
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from tests.ingest.formats.family import last_part, opened, rasterized, try_to_rasterize
from tests.ingest.made import Array
from trainyard.datasets.record import IngestOptions
from workers.ingest.items import Format, FoundSet
from workers.ingest.problems import ProblemLog

DRAWN = settings.get_profile("fuzz" if settings.get_current_profile_name() == "fuzz" else "readers")
"""A few examples, always the same; with `make fuzz`, thousands."""

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 1e300, 10**400, float("nan"), float("inf"), "", " ", "\ud800", "1e9", "NaN"]),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.one_of(st.integers(), st.text(max_size=2), st.none()), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@dataclass(frozen=True)
class Outcome:
    """What is read of an upload, the masks by the last part of the items' names, and the problems."""

    found: FoundSet | None
    masks: dict[str, Array]
    problems: list[tuple[str, str]]
    messages: str

    @property
    def mask(self) -> Array:
        """The mask of the only item."""
        (mask,) = self.masks.values()
        return mask

    def pixels(self, name: str) -> dict[str, int]:
        """Pixels by class of an item's mask; those of no class as `ignored`."""
        assert self.found is not None
        names = (self.found.names or {}) | {255: "ignored"}
        values, counts = np.unique(self.masks[name], return_counts=True)
        return {names[int(value)]: int(count) for value, count in zip(values, counts, strict=True)}


def outcome(reader: Format, folder: Path, files: Mapping[str, bytes], **options: Any) -> Outcome:
    """Read the files with a reader, and rasterize every item."""
    log = ProblemLog()
    with opened(folder, files) as source:
        found = reader.read(source, IngestOptions(**options), log)
        masks = {last_part(item): rasterized(item, source) for item in found.items} if found else {}
    problems = log.problems()
    codes = [(problem.severity, problem.code) for problem in problems]
    return Outcome(found, masks, codes, "\n".join(f"{p.file}: {p.message}" for p in problems))


def survives(reader: Format, files: Mapping[str, bytes]) -> None:
    """Whatever is in the files: the reader raises nothing, and what it cannot use it reports."""
    log = ProblemLog()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), files) as source:
        reader.recognises(source)
        found = reader.read(source, IngestOptions(), log)
        for item in found.items if found else ():
            try_to_rasterize(item, source, log)
    assert found is not None or log.has_errors
    for problem in log.problems():
        assert problem.message
        assert problem.remedy


@st.composite
def junked(draw: st.DrawFn, document: Any) -> Any:
    """The document of JSON, one piece of it, at any depth, replaced by junk or taken out."""
    document = copy.deepcopy(document)
    holder, key = draw(st.sampled_from(_places(document)))
    if draw(st.booleans()):
        holder[key] = draw(JUNK)
    else:
        del holder[key]
    return document


def _places(document: Any) -> list[tuple[Any, Any]]:
    """All containers with each of their keys."""
    keys = document if isinstance(document, dict) else range(len(document))
    places = [(document, key) for key in keys]
    for _, key in tuple(places):
        if isinstance(document[key], dict | list):
            places += _places(document[key])
    return places


@st.composite
def scribbled(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with a few of them replaced."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        changed[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)
