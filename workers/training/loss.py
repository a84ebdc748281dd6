"""The loss: Dice plus cross-entropy, ignored pixels left out of both."""

import torch
import torch.nn.functional as F
from segmentation_models_pytorch.losses import MULTICLASS_MODE, DiceLoss
from torch import Tensor, nn

from workers.prepared import IGNORE_INDEX


class DiceCrossEntropy(nn.Module):
    """Mean over classes of (1 - soft Dice of the batch), plus mean cross-entropy over labelled pixels."""

    def __init__(self) -> None:
        super().__init__()
        self._dice = DiceLoss(MULTICLASS_MODE, from_logits=True, ignore_index=IGNORE_INDEX)

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """The scalar loss of logits, (N, C, H, W), and masks, (N, H, W) int64 with IGNORE_INDEX.

        Mixed precision leaves the logits in 16 bits, too coarse for a mean of thousands of terms, so the
        loss is taken in float32. A batch without a labelled pixel has the loss 0, not 0/0.
        """
        exact = logits.float()
        labelled = (masks != IGNORE_INDEX).sum().clamp(min=1)
        entropy = F.cross_entropy(exact, masks, ignore_index=IGNORE_INDEX, reduction="sum") / labelled
        dice: Tensor = self._dice(exact, masks)
        return torch.add(dice, entropy)
