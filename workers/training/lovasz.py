"""The Lovász losses, whose weights of single pixels float32 cannot tell from 0.

The weight of a pixel is by how much the Jaccard index falls when it is wrong, too. Among millions that is
less than the spacing of float32 numbers near 1, and half of all gradients would vanish or double, as they do
in segmentation_models_pytorch's LovaszLoss from about a million pixels on. Weights are float64 here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LovaszSoftmax(nn.Module):
    """The mean over the classes that occur; Berman et al., "The Lovász-Softmax loss" (CVPR 2018)."""

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The scalar loss of logits, (1, C, 1, P), and classes, (1, 1, P) int64; P is not 0."""
        classes = masks.reshape(-1)
        chances = logits.softmax(dim=1).reshape(logits.shape[1], -1)
        present = torch.bincount(classes, minlength=len(chances)).tolist()
        of_class = []
        for index, chance in enumerate(chances):
            if present[index]:
                truth = classes == index
                of_class.append(extension((truth.to(chance.dtype) - chance).abs(), truth))
        return torch.stack(of_class).mean()


class LovaszHinge(nn.Module):
    """The binary form, of the hinge of one logit; Yu and Blaschko, "Learning submodular losses" (2015)."""

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """The scalar loss of logits and truth, 0 and 1, of as many elements in the same order."""
        present = truth.reshape(-1) > 0
        signs = 2 * present.to(logits.dtype) - 1
        return extension(F.relu(1 - logits.reshape(-1) * signs), present)


def extension(errors: Tensor, truth: Tensor) -> Tensor:
    """The Lovász extension of the Jaccard loss, by Algorithm 1 of Berman et al.

    `errors` is (P,), at least 0; `truth`, (P,) bool, says which pixels are of the class.
    """
    ordered, places = errors.sort(descending=True, stable=True)
    return torch.dot(ordered.double(), _weights(truth[places])).to(errors.dtype)


def _weights(truth: Tensor) -> Tensor:
    """The loss's slope for each of the sorted errors, (P,) float64."""
    hits, total = truth.cumsum(0), truth.sum()
    ranks = torch.arange(1, len(truth) + 1, device=truth.device)
    jaccard = 1 - (total - hits).double() / (total + ranks - hits)
    return jaccard.diff(prepend=jaccard.new_zeros(1))
