"""The Lovász losses, whose weights of single pixels float32 cannot tell from 0.

The weight of a pixel is by how much the Jaccard index falls when it is wrong, too. Among millions that is
less than the spacing of float32 numbers near 1, and half of all gradients would vanish or double, as they do
in segmentation_models_pytorch's LovaszLoss from about a million pixels on. Weights are float64 here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.prepared.version import IGNORE_INDEX
from workers.training.compute.devices import BY_PLACE


class LovaszSoftmax(nn.Module):
    """The mean over the classes that occur; Berman et al., "The Lovász-Softmax loss" (CVPR 2018)."""

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The scalar loss of logits, (N, C, H, W), and masks, (N, H, W) int64 with IGNORE_INDEX."""
        labelled = masks != IGNORE_INDEX
        may_look = logits.device.type in BY_PLACE
        of_class, occurs = [logits.sum() * 0], []
        for index, chance in enumerate(logits.softmax(dim=1).unbind(dim=1)):
            truth = masks == index
            # Where looking makes the host wait, a class that does not occur is sorted and left out after.
            if may_look and not truth.any():
                continue
            loss = extension((truth.to(chance.dtype) - chance).abs(), truth, labelled)
            occurs.append(truth.any())
            of_class.append(loss * occurs[-1])
        return torch.stack(of_class).sum() / torch.stack([*occurs, labelled.new_zeros(())]).sum().clamp(min=1)


class LovaszHinge(nn.Module):
    """The binary form, of the hinge of one logit; Yu and Blaschko, "Learning submodular losses" (2015)."""

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """The scalar loss of logits and truth (0, 1 or IGNORE_INDEX), as many elements in the same order."""
        masks = truth.reshape(-1)
        present = masks == 1
        signs = 2 * present.to(logits.dtype) - 1
        return extension(F.relu(1 - logits.reshape(-1) * signs), present, masks != IGNORE_INDEX)


def extension(errors: Tensor, truth: Tensor, labelled: Tensor) -> Tensor:
    """The Lovász extension of the Jaccard loss, by Algorithm 1 of Berman et al.

    `errors` are at least 0; `truth` says which pixels are of the class and `labelled` which count, both bool
    of that shape. Pixels that do not count are sorted behind all others, where they weigh nothing.
    """
    ordered, places = errors.where(labelled, -1).reshape(-1).sort(descending=True, stable=True)
    weights = _weights(truth.reshape(-1)[places])
    return torch.dot(ordered.clamp_min(0).double(), weights).to(errors.dtype)


def _weights(truth: Tensor) -> Tensor:
    """The loss's slope for each of the sorted errors, (P,) float64."""
    hits, total = truth.cumsum(0), truth.sum()
    ranks = torch.arange(1, len(truth) + 1, device=truth.device)
    jaccard = 1 - (total - hits).double() / (total + ranks - hits)
    return jaccard.diff(prepend=jaccard.new_zeros(1))
