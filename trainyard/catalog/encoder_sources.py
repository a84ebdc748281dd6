"""Encoders that are named by where they lie: a repository of the model hub, or a folder in storage.

Both hold a model of timm's as timm writes it: `config.json` says which of its architectures it is, and how
images are put to it; its weights lie beside.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainyard.catalog.names import TIMM_PREFIX, encoder_names

HUB_PREFIX = "hf-hub:"
FOLDER_PREFIX = "folder:"
CONFIG_FILE = "config.json"
WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
"""What weights may lie in, the first that is there."""

_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}(@[\w./-]{1,96})?", re.ASCII)
_NEUTRAL = ("num_classes", "global_pool", "drop_rate", "drop_path_rate")
"""Arguments of a model that its encoder is the same without."""

_CHANNELS = 3

Triple = tuple[float, float, float]


def is_source(encoder: str) -> bool:
    """Whether an encoder is named by where it lies."""
    return encoder.startswith((HUB_PREFIX, FOLDER_PREFIX))


def check_source(encoder: str) -> str | None:
    """None for a name of the right form, else a sentence that says it; asks nobody."""
    if encoder.startswith(HUB_PREFIX) and not _REPOSITORY.fullmatch(encoder.removeprefix(HUB_PREFIX)):
        return f"{encoder!r} is no repository of the model hub: {HUB_PREFIX}OWNER/NAME, or with @REVISION."
    if encoder == FOLDER_PREFIX:
        return f"{encoder!r} names no folder: {FOLDER_PREFIX}PATH inside the storage's weights folder."
    return None


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """What `config.json` says: the encoder by timm's name, and mean and spread of the images that its weights
    were made with."""

    encoder: str
    mean: Triple
    std: Triple


def read_config(content: Any) -> SourceConfig:
    """Read a parsed `config.json`; raises ValueError, which says what is wrong with it."""
    if not isinstance(content, Mapping) or not isinstance(content.get("architecture"), str):
        raise ValueError("it names no architecture of timm's")
    encoder = TIMM_PREFIX + content["architecture"]
    if encoder not in encoder_names():
        raise ValueError(f"{content['architecture']!r} is no architecture of timm's that is known here")
    _check_arguments(content.get("model_args") or {})
    told = content.get("pretrained_cfg", content)
    if not isinstance(told, Mapping):
        raise ValueError("pretrained_cfg is no mapping")
    return SourceConfig(encoder=encoder, mean=_triple(told, "mean"), std=_triple(told, "std"))


def _check_arguments(arguments: Any) -> None:
    if not isinstance(arguments, Mapping):
        raise ValueError("model_args is no mapping")
    neutral = {name for name in arguments if name in _NEUTRAL}
    if arguments.get("in_chans") == _CHANNELS:
        neutral.add("in_chans")
    if others := sorted(arguments.keys() - neutral):
        raise ValueError(f"its network is not the architecture's own, by model_args: {', '.join(others)}")


def _triple(told: Mapping[str, Any], name: str) -> Triple:
    match told.get(name):
        case [int() | float() as red, int() | float() as green, int() | float() as blue]:
            return float(red), float(green), float(blue)
    raise ValueError(f"it tells no {name} of three channels")
