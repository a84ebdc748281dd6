"""Schedule and loss."""

from itertools import pairwise

import pytest
import torch

from workers.prepared import IGNORE_INDEX
from workers.training.loss import DiceCrossEntropy
from workers.training.schedule import FINAL_FACTOR, lr_factor


def test_schedule_warms_up_peaks_and_decays() -> None:
    factors = [lr_factor(step, 100, 0.1) for step in range(100)]

    assert factors[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert max(factors) == factors[10] == 1
    assert all(later < earlier for earlier, later in pairwise(factors[10:]))
    assert factors[-1] == pytest.approx(FINAL_FACTOR)


def test_schedule_takes_any_step_and_total() -> None:
    assert lr_factor(0, 1, 0.5) == 1
    assert lr_factor(50, 10, 0.1) == pytest.approx(FINAL_FACTOR)
    assert lr_factor(50, 200, 0) > lr_factor(50, 100, 0)


def test_loss_of_a_right_answer_is_small_and_of_a_wrong_one_large() -> None:
    masks = torch.tensor([[[0, 0, 1, 1]]])
    right = 20 * torch.nn.functional.one_hot(masks, 2).permute(0, 3, 1, 2).float()
    assert DiceCrossEntropy()(right, masks).item() == pytest.approx(0, abs=1e-5)
    assert DiceCrossEntropy()(right.flip(1), masks).item() > 1


def test_ignored_pixels_change_nothing() -> None:
    numbers = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 3, 4, 8, generator=numbers)
    masks = torch.randint(0, 3, (1, 4, 8), generator=numbers)
    masks[..., 4:] = IGNORE_INDEX
    other = logits.clone()
    other[..., 4:] += 5
    loss = DiceCrossEntropy()
    assert loss(other, masks).item() == pytest.approx(loss(logits, masks).item())
    assert loss(logits[..., :4], masks[..., :4]).item() == pytest.approx(loss(logits, masks).item())


def test_batch_without_labels_costs_nothing() -> None:
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss = DiceCrossEntropy()(logits, torch.full((1, 4, 4), IGNORE_INDEX))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.abs().max().item() == 0


def test_loss_of_bfloat16_logits_is_exact() -> None:
    logits = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(1)).bfloat16()
    masks = torch.randint(0, 2, (2, 8, 8), generator=torch.Generator().manual_seed(2))
    loss = DiceCrossEntropy()(logits, masks)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(DiceCrossEntropy()(logits.float(), masks).item())
