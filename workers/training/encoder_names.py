"""`make catalog`: prints the names of smp's encoders and timm's models as the catalog keeps them."""

import json

import segmentation_models_pytorch as smp
import timm


def encoder_names() -> dict[str, list[str]]:
    """What the installed libraries offer; timm's are used with the prefix `tu-`."""
    return {"smp": smp.encoders.get_encoder_names(), "timm": timm.list_models()}


if __name__ == "__main__":
    print(json.dumps(encoder_names(), indent=0))
