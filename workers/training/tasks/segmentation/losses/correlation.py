"""The Matthews correlation coefficient as a loss.

For a class that is a yes or no, with TP, FP, FN and TN the sums over labelled pixels of its probability p or
1 - p where the truth is yes or no, each with EPS added:

    MCC = (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN))

The loss is the mean of 1 - MCC over classes (Abhishek and Hamarneh, "Matthews Correlation Coefficient Loss
for Deep Convolutional Networks", ISBI 2021). Values and gradients are those of segmentation_models_pytorch's
MCCLoss, which knows no ignored pixels and takes all classes for one.
"""

from torch import Tensor, nn

from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.losses.overlap import yes_no_sums

EPS = 1e-5


class Correlation(nn.Module):
    """Of classes that are each a yes or no: one in a binary task, any number in a multilabel one."""

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """The scalar loss of logits and truth as `yes_no_sums` takes them; 0 where nothing is labelled."""
        hits, predicted, present = yes_no_sums(logits, truth)
        pixels = (truth != IGNORE_INDEX).sum() if truth.ndim < logits.ndim else truth[:, 0].numel()
        tp, fp, fn = hits + EPS, predicted - hits + EPS, present - hits + EPS
        tn = pixels - predicted - present + hits + EPS
        coefficient = (tp * tn - fp * fn) / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)).sqrt()
        loss: Tensor = ((1 - coefficient) * (pixels > 0)).mean()
        return loss.to(logits.dtype)
