"""Optimizers by the names of timm's factory, and what each part of a network is told."""

import re
from collections.abc import Iterator
from typing import Any

from timm.optim import create_optimizer_v2, kron, param_groups_weight_decay  # type: ignore[attr-defined]
from torch import nn
from torch.optim import Optimizer

from trainyard.plugins.offers import is_offered_name
from trainyard.spec.training_spec import OptimizationSpec
from workers.plugins.made import offered_optimizer

FUSED = frozenset({"adamw", "adam", "sgd"})
"""Optimizers of torch's that have a fused form on CPUs and GPUs."""

NESTEROV = frozenset({"sgd", "csgdc", "csgdw", "nesterov", "nesterovw", "nlarc", "nlars", "sgdc", "sgdw"})
"""Optimizers that timm makes with Nesterov's momentum, which is none where momentum is 0."""

# Kron would compile its four functions for each shape of weights: a minute and more before the first step on
# a CPU, and a failed run where there is no C++ compiler, as in slim images.
kron.has_dynamo = False

_BLOCK = re.compile(r"((?:[^.]+\.)*?\d+(?:\.\d+)*)\.")
"""The numbered part that a parameter belongs to: `layer1.0.conv1.weight` to layer1.0, `blocks.2.0.bn1.bias`
to blocks.2.0."""


def make_optimizer(network: nn.Module, spec: OptimizationSpec, *, fused: bool) -> Optimizer:
    """The spec's optimizer over all weights. `fused` asks for the fused form where there is one.

    Each group carries its own peak learning rate as `peak_lr`; the last group is the decoder's.
    """
    groups = parameter_groups(network, spec)
    if is_offered_name(spec.optimizer):
        return offered_optimizer(spec, groups)
    options: dict[str, Any] = {"fused": True} if fused and spec.optimizer in FUSED else {}
    if spec.optimizer in NESTEROV and spec.momentum == 0:
        options["nesterov"] = False
    made: Optimizer = create_optimizer_v2(
        groups,
        opt=spec.optimizer,
        lr=spec.learning_rate,
        momentum=spec.momentum,
        **options,
    )
    return made


def parameter_groups(network: nn.Module, spec: OptimizationSpec) -> list[dict[str, Any]]:
    """Groups of weights alike in learning rate and decay; biases and norms do not decay."""
    groups = []
    for name, part in network.named_children():
        is_encoder = name == "encoder"
        peak = spec.learning_rate * (spec.encoder_lr_factor if is_encoder else 1)
        factors = layer_factors(part, spec.layer_lr_decay if is_encoder else 1.0)
        for group in param_groups_weight_decay(part, spec.weight_decay):
            for factor, weights in _by_factor(group["params"], factors):
                rate = peak * factor
                groups.append({**group, "params": weights, "lr": rate, "peak_lr": rate})
    return groups


def layer_factors(part: nn.Module, decay: float) -> dict[nn.Parameter, float]:
    """Each weight's share of the learning rate: 1 in the last layer, `decay` times less in each before it.

    Layers are a part's numbered blocks, and its modules outside of blocks, in their order. After Clark et
    al., "ELECTRA", 2020, appendix B.
    """
    layers: dict[str, int] = {}
    places = {}
    for name, weight in part.named_parameters():
        block = _BLOCK.match(name)
        layer = block[1] if block else name.rpartition(".")[0]
        places[weight] = layers.setdefault(layer, len(layers))
    return {weight: decay ** (len(layers) - 1 - place) for weight, place in places.items()}


def _by_factor(
    weights: list[nn.Parameter], factors: dict[nn.Parameter, float]
) -> Iterator[tuple[float, list[nn.Parameter]]]:
    for factor in dict.fromkeys(factors[weight] for weight in weights):
        yield factor, [weight for weight in weights if factors[weight] == factor]
