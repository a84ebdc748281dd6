"""The learning rate over a run: a warm-up, then one of several shapes.

A factor depends on nothing but its arguments, so another total may be given at any step.
"""

import math

from trainyard.spec.training_spec import ScheduleSpec

_ONE_CYCLE_START = 0.04
"""Where one_cycle begins, as a share of the peak."""


def lr_factor(spec: ScheduleSpec, step: int, total: int, drops: int = 0) -> float:
    """The share of the peak learning rate at `step`, counted from 0, of `total` steps.

    Over the first `warmup_fraction` of all steps it rises: linearly, with one_cycle along a cosine from a
    twenty-fifth. At the peak the shape begins; cosine, poly and one_cycle reach `final_factor` at the last
    step and stay there. `drops` are those of plateau so far.

    Cosine: Loshchilov and Hutter, "SGDR", 2017, without restarts. Poly: Chen et al., "DeepLab", 2017. One
    cycle: Smith and Topin, "Super-Convergence", 2018, with cosines and without its cycle of momentum.
    """
    warmup = math.floor(total * spec.warmup_fraction)
    if step < warmup:
        return _rise(spec, (step + 1) / warmup)
    done = min(1.0, (step - warmup) / max(1, total - 1 - warmup))
    match spec.name:
        case "cosine" | "one_cycle":
            return _between(spec.final_factor, 1, (1 + math.cos(math.pi * done)) / 2)
        case "poly":
            return _between(spec.final_factor, 1, (1 - done) ** spec.power)
        case "step":
            # Rounded, since a share of steps is seldom exact: 0.3 of 10 steps are 3.
            drops = math.floor(round(step / (total * spec.drop_every), 6))
            return max(spec.final_factor, spec.drop_factor**drops)
        case "plateau":
            return max(spec.final_factor, spec.drop_factor**drops)
        case _:
            return 1.0


def _rise(spec: ScheduleSpec, share: float) -> float:
    if spec.name != "one_cycle":
        return share
    return _between(_ONE_CYCLE_START, 1, (1 - math.cos(math.pi * share)) / 2)


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share
