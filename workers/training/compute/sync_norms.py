"""Batch norms that take their statistics over all devices while a network trains on several."""

from dataclasses import dataclass

from lightning.pytorch.plugins import LayerSync
from timm.layers import BatchNormAct2d, convert_sync_batchnorm  # type: ignore[attr-defined]
from torch import nn

_CONVERTED = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, BatchNormAct2d)
"""The very classes whose synchronised form computes the same. A class derived from one of these may do more,
and would lose it; its statistics stay those of one device."""


@dataclass(frozen=True)
class _Place:
    """Where a norm was, and what it was."""

    parent: nn.Module
    name: str
    original: nn.Module


class SyncNorms(LayerSync):
    """Puts synchronised norms in place of a network's own while it trains, and then these back.

    timm's encoders have norms with the activation inside. Lightning's own plugin makes bare norms of them, so
    that the network trains without activations, and makes norms of no particular class of those afterwards.
    """

    def __init__(self) -> None:
        self._places: list[_Place] = []

    def apply(self, model: nn.Module) -> nn.Module:
        """Replace the norms, with the same weights and statistics under the same names."""
        self._places = [
            _Place(parent, name, child)
            for parent in model.modules()
            for name, child in parent.named_children()
            if type(child) in _CONVERTED
        ]
        for place in self._places:
            setattr(place.parent, place.name, convert_sync_batchnorm(place.original))  # type: ignore[no-untyped-call]
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        """Put the original norms back, with the weights and statistics as they are now."""
        for place in self._places:
            synchronised = getattr(place.parent, place.name)
            place.original._parameters = synchronised._parameters
            place.original._buffers = synchronised._buffers
            place.original.train(synchronised.training)
            setattr(place.parent, place.name, place.original)
        self._places.clear()
        return model
