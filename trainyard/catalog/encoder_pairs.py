"""Which architectures an encoder can train with, as `make catalog` found by trying.

An encoder that the table lacks was not tried yet: the worker finds out.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("encoder_pairs.json")


def unfit_architectures(encoder: str) -> frozenset[str]:
    """The architectures that cannot be built or trained with the encoder."""
    return frozenset(_table()["unfit"].get(encoder, ()))


def only_size(architecture: str, encoder: str) -> int | None:
    """The only height and width, in pixels, that the pair takes; None where it is free."""
    size = _table()["only_size"].get(encoder, {}).get(architecture)
    return int(size) if size else None


@cache
def _table() -> Mapping[str, Mapping[str, dict[str, int]]]:
    content: Mapping[str, Mapping[str, dict[str, int]]] = json.loads(TABLE.read_text())
    return content
