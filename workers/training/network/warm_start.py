"""A network that begins with another's weights, as far as they fit."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from trainyard.errors import WeightsUnavailable

NETWORK_PREFIX = "network."
"""What the names of weights in a checkpoint begin with."""

_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How many layers (modules with tensors of their own) were filled; which were not, and why."""

    loaded_layers: int
    total_layers: int
    skipped: list[str]

    def describe(self, origin: str) -> str:
        """One sentence for the run's notices."""
        said = f"Began with {origin}: {self.loaded_layers} of {self.total_layers} layers loaded"
        if not self.skipped:
            return f"{said}."
        more = f" and {len(self.skipped) - _SHOWN} more" if len(self.skipped) > _SHOWN else ""
        return f"{said}; not loaded: {'; '.join(self.skipped[:_SHOWN])}{more}."


def load_fitting(network: nn.Module, state: Mapping[str, Tensor]) -> Loaded:
    """Fill each layer all of whose tensors are in `state`, a checkpoint's, with the same shapes.

    A layer that does not fit keeps its own weights whole. Raises WeightsUnavailable when none fits.
    """
    wanted = network.state_dict()
    layers: dict[str, list[str]] = {}
    for name in wanted:
        layers.setdefault(name.rpartition(".")[0], []).append(name)
    fitting, skipped = {}, []
    for layer, names in layers.items():
        problems = [problem for name in names if (problem := _problem(name, wanted[name], state))]
        if problems:
            skipped.append(f"{layer} ({problems[0]})")
        else:
            fitting.update({name: state[NETWORK_PREFIX + name] for name in names})
    loaded = Loaded(loaded_layers=len(layers) - len(skipped), total_layers=len(layers), skipped=skipped)
    if not fitting:
        raise WeightsUnavailable(
            f"No layer of the checkpoint fits this network: {'; '.join(skipped[:_SHOWN])}.",
            remedy="Begin with a checkpoint of the same architecture and encoder.",
        )
    network.load_state_dict({**wanted, **fitting})
    return loaded


def _problem(name: str, wanted: Tensor, state: Mapping[str, Tensor]) -> str | None:
    found = state.get(NETWORK_PREFIX + name)
    if found is None:
        return "absent"
    if found.shape != wanted.shape:
        return f"{_shape(found)}, needed is {_shape(wanted)}"
    return None


def _shape(tensor: Tensor) -> str:
    return " x ".join(str(side) for side in tensor.shape) or "one number"
