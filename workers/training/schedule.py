"""The learning rate over a run: linear warm-up, then half a cosine."""

import math

FINAL_FACTOR = 0.01
"""The learning rate of the last step as a share of the peak."""


def lr_factor(step: int, total: int, warmup_fraction: float) -> float:
    """The share of the peak learning rate at `step`, counted from 0, of `total` steps.

    Rises linearly over the first `warmup_fraction` of all steps, reaches 1, and falls along a cosine to
    FINAL_FACTOR at the last step and after it. It depends on nothing but its arguments, so another total
    may be given at any step. Cosine decay: Loshchilov and Hutter, "SGDR", 2017, without restarts.
    """
    warmup = math.floor(total * warmup_fraction)
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, total - 1 - warmup))
    return FINAL_FACTOR + (1 - FINAL_FACTOR) * (1 + math.cos(math.pi * done)) / 2
