"""Detectors by the names of a spec, over any encoder of smp or timm that gives maps of five scales."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from trainyard.plugins.offers import is_offered_name
from trainyard.spec.training_spec import ModelSpec
from workers.plugins.made import offered_network
from workers.training.network.encoder_weights import require_imagenet
from workers.training.network.pretrained import fill_encoder
from workers.training.tasks.detection.network.detector import Answer, Detector
from workers.training.tasks.detection.network.features import make_encoder
from workers.training.tasks.detection.network.one_stage import fcos, retinanet, ssdlite
from workers.training.tasks.detection.network.two_stage import faster_rcnn, mask_rcnn

_BUILDERS: dict[str, Callable[[Any, int], Detector]] = {
    "FasterRCNN": faster_rcnn,
    "MaskRCNN": mask_rcnn,
    "RetinaNet": retinanet,
    "FCOS": fcos,
    "SSDlite": ssdlite,
}


def build_detector(spec: ModelSpec, classes: int, weights_file: Path | None) -> nn.Module:
    """A detector of so many classes, its encoder filled as the spec says.

    Raises InvalidModel for an encoder that cannot be built, WeightsUnavailable for weights that cannot be had
    or do not fit.
    """
    if spec.encoder_weights == "imagenet":
        require_imagenet(spec.encoder)
    detector = _made(spec, classes, pretrained=spec.encoder_weights == "imagenet")
    fill_encoder(detector.get_submodule("encoder"), spec, weights_file)
    return detector


def empty_detector(spec: ModelSpec, classes: int) -> nn.Module:
    """One with random weights; asks nobody for anything. Raises InvalidModel."""
    return _made(spec, classes, pretrained=False)


def _made(spec: ModelSpec, classes: int, *, pretrained: bool) -> nn.Module:
    if is_offered_name(spec.architecture):
        network = offered_network(spec, classes, pretrained=pretrained)
        network.register_forward_hook(_answered)
        return network
    return _BUILDERS[spec.architecture](make_encoder(spec, pretrained=pretrained), classes)


def _answered(_network: nn.Module, _given: Any, made: Any) -> Answer:
    """What a plug-in's detector gives, as those of Trainyard do."""
    losses, found = made
    return Answer(losses=dict(losses), detections=list(found))
