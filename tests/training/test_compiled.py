"""Where a network cannot be compiled it trains as it is, and the run says so."""

from collections.abc import Callable
from functools import partialmethod
from typing import Any

import pytest
import torch
from torch import nn

from tests.training.conftest import Run, tiny_spec
from trainyard.runs.events import BatchSizeChanged, Notice
from workers.training.compute.compiled import fall_back_to_eager

SPEC = tiny_spec(compute={"compile": True})


def compile_with(monkeypatch: pytest.MonkeyPatch, backend: Callable[..., Any] | str) -> None:
    monkeypatch.setattr(nn.Module, "compile", partialmethod(nn.Module.compile, backend=backend))


@pytest.mark.thorough
def test_a_machine_without_a_c_compiler_trains_uncompiled(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real compiler, which finds no program to build its code with."""
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", ("/nowhere/c++",))
    monkeypatch.setattr(torch._inductor.config, "force_disable_caches", True)
    assert run.fit(epochs=1, spec=SPEC).status == "completed"
    (said,) = [event.message for event in run.of(Notice) if "torch.compile" in event.message]
    assert "trains uncompiled" in said
    assert "\n" not in said


def test_a_network_that_can_be_compiled_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def backend(graph: Any, inputs: list[torch.Tensor]) -> Any:
        seen.append(graph)
        return graph

    compile_with(monkeypatch, backend)
    assert run.fit(epochs=1, spec=SPEC).status == "completed"
    assert seen
    assert not run.of(Notice)


def test_memory_that_ends_while_compiling_is_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def backend(graph: Any, inputs: list[torch.Tensor]) -> Any:
        if max(len(one) for one in inputs if one.ndim == 4 and one.shape[1] == 3) > 2:
            raise RuntimeError("CUDA error: out of memory")
        return graph

    compile_with(monkeypatch, backend)
    assert run.fit(epochs=1, spec=SPEC).status == "completed"
    assert [event.batch_size for event in run.of(BatchSizeChanged)] == [2]


def test_the_networks_own_errors_are_no_compilers() -> None:
    class Broken(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            raise ValueError("the network's own")

    network = Broken()
    network.compile(backend="eager")
    fall_back_to_eager(network, lambda event: pytest.fail(str(event)))
    with pytest.raises(ValueError, match="the network's own"):
        network(torch.zeros(1))
