"""`make catalog`: prints the names of smp's encoders and timm's models as the catalog keeps them."""

import json

import segmentation_models_pytorch as smp
import timm

from trainyard.catalog.names import TIMM_PREFIX
from trainyard.errors import WeightsUnavailable
from workers.training.network.encoder_weights import hub_source


def encoder_names() -> dict[str, list[str]]:
    """What the installed libraries offer; timm's are used with the prefix `tu-`, with which those that have
    no ImageNet weights stand in `without_imagenet`."""
    smp_names, timm_names = smp.encoders.get_encoder_names(), timm.list_models()
    every = [*smp_names, *(TIMM_PREFIX + name for name in timm_names)]
    without = [name for name in every if not _has_imagenet(name)]
    return {"smp": smp_names, "timm": timm_names, "without_imagenet": without}


def _has_imagenet(encoder: str) -> bool:
    try:
        hub_source(encoder)
    except WeightsUnavailable:
        return False
    return True


if __name__ == "__main__":
    print(json.dumps(encoder_names(), indent=0))
