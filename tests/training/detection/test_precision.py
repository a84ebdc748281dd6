"""Boxes and losses of detectors in float32 whatever surrounds them: autocast is their layers' alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import nn

from tests.training.conftest import CONFIGS
from tests.training.detection.conftest import INSTANCES, tiny
from trainyard.spec.experiments import Experiments
from trainyard.tasks.detection import ARCHITECTURES, MASKED, TERMS
from workers.training.tasks.detection.network.detector import Detector, Target
from workers.training.tasks.detection.network.networks import empty_detector

SIDE = 256
LAYERS = ("encoder", "pyramid", "model.head", "rpn.head", "roi_heads.box_head", "roi_heads.box_predictor")
MASK_LAYERS = ("roi_heads.mask_head", "roi_heads.mask_predictor")


def _detector(architecture: str) -> Detector:
    over = INSTANCES if architecture in MASKED else {"model": {"architecture": architecture}}
    model = Experiments(CONFIGS).compose(tiny(**over)).model
    torch.manual_seed(0)
    detector: Any = empty_detector(model, 2)
    return detector


def _truth(masked: bool) -> list[Target]:
    """Objects whose places bfloat16 cannot tell apart from their neighbours."""
    boxes = torch.tensor([[130.0, 131.0, 201.0, 203.0], [3.0, 5.0, 60.0, 65.0], [180.0, 20.0, 253.0, 77.0]])
    one = Target(boxes=boxes, labels=torch.tensor([0, 1, 0]))
    if masked:
        one["masks"] = torch.zeros(3, SIDE, SIDE, dtype=torch.uint8)
        for mask, (left, top, right, bottom) in zip(one["masks"], boxes.int().tolist(), strict=True):
            mask[top:bottom, left:right] = 1
    return [one, one]


@contextmanager
def _layers_in_float32(detector: nn.Module) -> Iterator[None]:
    """What learns computes in float32, so that autocast is left what is made of its answers."""
    named = dict(detector.named_modules())
    layers = [named[name] for name in (*LAYERS, *MASK_LAYERS) if name in named]
    kept = [layer.forward for layer in layers]
    for layer in layers:
        layer.forward = torch.autocast("cpu", enabled=False)(layer.forward)
    try:
        yield
    finally:
        for layer, forward in zip(layers, kept, strict=True):
            layer.forward = forward


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_term_of_the_loss_is_computed_in_16_bits(architecture: str, kind: torch.dtype) -> None:
    detector = _detector(architecture).train()
    truth, images = _truth(architecture in MASKED), torch.randn(2, 3, SIDE, SIDE)
    found = []
    with _layers_in_float32(detector):
        for enabled in (False, True):
            torch.manual_seed(1)  # which proposals a loss is of is drawn
            with torch.autocast("cpu", dtype=kind, enabled=enabled):
                found.append(detector(images, truth).losses)
    assert set(found[0]) == set(TERMS[architecture])
    for term, loss in found[0].items():
        assert found[1][term].dtype == torch.float32
        assert float(found[1][term].detach()) == pytest.approx(float(loss.detach()), rel=1e-5), term
