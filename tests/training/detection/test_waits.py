"""Losses of detectors in the form of a GPU: they are torchvision's, and the host does not wait for them."""

import pytest
import torch

from tests.training.conftest import Run
from tests.training.detection.conftest import tiny
from tests.training.test_class_counts import Waits, counting_steps
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from workers.training.compute import loss_readback
from workers.training.tasks.detection.network import detector as detector_module
from workers.training.tasks.detection.network import one_stage
from workers.training.tasks.detection.network.detector import Detector, Target
from workers.training.tasks.detection.network.features import make_encoder
from workers.training.tasks.detection.network.one_stage import fcos, retinanet, ssdlite

MAKERS = {"RetinaNet": retinanet, "FCOS": fcos, "SSDlite": ssdlite}
SIZE, CLASSES = 64, 3
SCENES = {
    "some": [[(4, 4, 30, 40), (20, 10, 60, 50)], [(0, 0, 64, 64)]],
    "none_in_one": [[], [(5, 8, 41, 50)]],
    "none_at_all": [[], []],
    "one_pixel": [[(10, 10, 11, 11)], [(63, 63, 64, 64), (0, 0, 1, 64)]],
    "alike": [[(8, 8, 40, 40)] * 3, [(8, 8, 40, 40)]],
    "many": [[(x, y, x + 9, y + 9) for x in range(0, 54, 6) for y in range(0, 54, 6)], [(2, 2, 8, 8)]],
    "larger_than_anchors": [[(0, 0, 64, 64), (0, 0, 64, 32)], [(0, 20, 64, 64)]],
    "on_the_edges": [[(0, 0, 20, 20), (44, 44, 64, 64)], [(0, 44, 20, 64), (44, 0, 64, 20)]],
}


def truth_of(boxes: list[list[tuple[int, int, int, int]]]) -> list[Target]:
    return [
        Target(
            boxes=torch.tensor(own, dtype=torch.float32).reshape(-1, 4),
            labels=torch.arange(len(own)) % CLASSES,
        )
        for own in boxes
    ]


@pytest.fixture(scope="module")
def detectors() -> dict[str, Detector]:
    model = Experiments(CONFIGS).compose(tiny()).model
    torch.manual_seed(0)
    return {name: make(make_encoder(model, pretrained=False), CLASSES) for name, make in MAKERS.items()}


def losses_of(detector: Detector, truth: list[Target]) -> dict[str, torch.Tensor]:
    """With the gradient of the encoder's first weights, and those of the last layers."""
    images = torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(3))
    detector.train().zero_grad()
    losses = detector(images, truth).losses
    torch.stack(list(losses.values())).sum().backward()
    gradients = {name: part.grad for name, part in detector.named_parameters() if part.grad is not None}
    return {**losses, **gradients}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("scene", SCENES)
def test_losses_are_torchvisions(
    name: str, scene: str, detectors: dict[str, Detector], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = truth_of(SCENES[scene])
    expected = {key: value.clone() for key, value in losses_of(detectors[name], truth).items()}
    monkeypatch.setattr(one_stage, "BY_PLACE", frozenset())
    found = losses_of(detectors[name], truth)
    assert found.keys() >= expected.keys()
    for key, value in found.items():
        assert value.isfinite().all(), key
        wanted = expected.get(
            key, torch.zeros_like(value)
        )  # torchvision's has no gradient where it picks none
        torch.testing.assert_close(
            value, wanted, rtol=2e-4, atol=1e-5, msg=lambda said, key=key: f"{key}: {said}"
        )


@pytest.mark.parametrize("name", MAKERS)
def test_no_loss_waits(name: str, detectors: dict[str, Detector], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_stage, "BY_PLACE", frozenset())
    for scene in ("some", "none_in_one", "none_at_all"):
        with Waits() as waits:
            losses_of(detectors[name], truth_of(SCENES[scene]))
        assert waits.names == []


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", ["SSDlite", "RetinaNet", "FCOS"])
def test_a_training_step_waits_for_one_number_at_most(
    name: str, scene_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of the step before."""
    for module in (one_stage, detector_module, loss_readback):
        monkeypatch.setattr(module, "BY_PLACE", frozenset())
    with counting_steps(monkeypatch) as steps:
        scene_run.fit(epochs=2, spec=tiny(model={"architecture": name}))
    assert len(steps) == 6
    assert all(len(step) <= 1 for step in steps[:-1] if step is not steps[2]), steps
