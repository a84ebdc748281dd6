"""`compile: true`, where the machine can: a network that cannot be compiled trains as it is, and says so."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from trainyard.runs.events import Event, Notice
from workers.training.compute.memory import meaning_of_error

_COMPILERS = ("torch._dynamo", "torch._inductor", "torch._functorch", "triton")
"""Packages whose errors are the compiler's, and no word about the network."""
_KEPT_VARIANTS = 16
"""Compiled forms that are kept: training and validation, the last batch, a frozen encoder, half the batch."""


def fall_back_to_eager(network: nn.Module, report: Callable[[Event], None]) -> None:
    """Let a network of which `compile` was called go on without where that fails, when it is first used.

    The compiler may want a C compiler that is not there, or not know an operation. A notice says so.
    """
    torch._dynamo.config.recompile_limit = _KEPT_VARIANTS
    compiled = network._compiled_call_impl
    assert compiled is not None  # noqa: S101 - narrows the type

    def call(*inputs: Any) -> Any:
        try:
            return compiled(*inputs)
        except Exception as error:
            if not _is_compilers(error):
                raise
            network._compiled_call_impl = None
            report(
                Notice(message=f"torch.compile failed, so the network trains uncompiled: {_reason(error)}")
            )
            return network(*inputs)

    network._compiled_call_impl = call


def _is_compilers(error: Exception) -> bool:
    """Whether compiling failed, and not the network, its memory or its device."""
    return type(error).__module__.startswith(_COMPILERS) and meaning_of_error(error) is None


def _reason(error: Exception) -> str:
    """The first line that says anything."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
