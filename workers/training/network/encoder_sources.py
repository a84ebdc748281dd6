"""Encoders of the model hub and of folders, brought to what all others are: a name of timm's and a file."""

import json
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from trainyard.catalog.encoder_sources import (
    CONFIG_FILE,
    HUB_PREFIX,
    WEIGHTS_FILES,
    SourceConfig,
    read_config,
)
from trainyard.errors import WeightsUnavailable
from workers.training.network.encoder_weights import require_hub
from workers.training.network.normalization import Normalization


@dataclass(frozen=True, kw_only=True)
class FoundEncoder:
    """The encoder by timm's name, the file of its weights where they are asked for, and how images are put to
    it then."""

    encoder: str
    weights_file: Path | None
    rule: Normalization


def find_encoder(name: str, folder: Path | None, *, pretrained: bool) -> FoundEncoder:
    """What lies in a repository of the hub, or in the `folder` that a name stands for.

    Raises WeightsUnavailable where the hub does not answer or has no such files, or they are not timm's.
    """
    try:
        if name.startswith(HUB_PREFIX):
            config, weights = _of_hub(name.removeprefix(HUB_PREFIX), pretrained=pretrained)
        else:
            config, weights = _of_folder(folder, pretrained=pretrained)
    except (ValueError, OSError) as error:
        raise _unavailable(name, str(error)) from error
    rule = Normalization(mean=config.mean, std=config.std)
    return FoundEncoder(encoder=config.encoder, weights_file=weights, rule=rule)


def _of_hub(named: str, *, pretrained: bool) -> tuple[SourceConfig, Path | None]:
    repository, _, revision = named.partition("@")

    def fetched(file: str) -> Path:
        cached = huggingface_hub.try_to_load_from_cache(repository, file, revision=revision or None)
        if isinstance(cached, str):
            return Path(cached)
        require_hub(f"{HUB_PREFIX}{named}")
        return Path(huggingface_hub.hf_hub_download(repository, file, revision=revision or None))

    try:
        config = _read(fetched(CONFIG_FILE))
        if not pretrained:
            return config, None
        for file in WEIGHTS_FILES[:-1]:
            try:
                return config, fetched(file)
            except HfHubHTTPError:
                continue  # it has the other one
        return config, fetched(WEIGHTS_FILES[-1])
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ValueError(f"the hub says: {str(error).partition(chr(10))[0]}") from error


def _of_folder(folder: Path | None, *, pretrained: bool) -> tuple[SourceConfig, Path | None]:
    if folder is None:
        raise ValueError("there is no such folder")
    config = _read(folder / CONFIG_FILE)
    if not pretrained:
        return config, None
    weights = next((folder / file for file in WEIGHTS_FILES if (folder / file).is_file()), None)
    if weights is None:
        raise ValueError(f"{folder.name} holds none of {', '.join(WEIGHTS_FILES)}")
    return config, weights


def _read(path: Path) -> SourceConfig:
    return read_config(json.loads(path.read_text(encoding="utf-8")))


def _unavailable(name: str, why: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"The encoder {name} cannot be had: {why}.",
        remedy="Name a model that timm has written (config.json and model.safetensors), on a hub that this "
        "worker reaches or in a folder of the storage's weights.",
        errors={"spec": {"model": {"encoder": ["another encoder"]}}},
    )
