"""Files that torch.save wrote, of which any may be another's, cut short or damaged."""

import struct
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

_BROKEN = (
    *(RuntimeError, ValueError, EOFError, UnpicklingError, struct.error),
    *(LookupError, AttributeError, TypeError, AssertionError, ArithmeticError),
)
"""What torch.load comes to in bytes that are not what it wrote: it takes them for instructions."""


def read_torch_file(path: Path) -> Any:
    """Its content, tensors and plain data alone, on the CPU.

    Raises OSError where there is no file to be read, ValueError where it holds anything else.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except _BROKEN as error:
        raise ValueError(f"torch cannot read it: {error!r}") from error
