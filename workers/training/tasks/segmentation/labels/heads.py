"""What a network's last layer says, in one form for both tasks."""

import torch
from torch import Tensor


def class_logits(logits: Tensor) -> Tensor:
    """One logit per class, (N, C, H, W), C at least 2, of what a network gives.

    A binary network gives a single logit x for the second of two classes: (0, x) has the same softmax,
    (1 - sigmoid(x), sigmoid(x)), and the same answer, x > 0. Anything else is returned as it is.
    """
    if logits.shape[1] != 1:
        return logits
    return torch.cat([torch.zeros_like(logits), logits], dim=1)
