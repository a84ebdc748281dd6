"""The weights of a checkpoint alone: a third of it, readable without pickle and without Trainyard."""

import json
from pathlib import Path

from safetensors.torch import save_file

from trainyard.storage.errors import storage_error
from workers.training.checkpoints.content import ABOUT, read_checkpoint
from workers.training.network.warm_start import NETWORK_PREFIX

_TOLD = ("epoch", "spec", "classes", "mean", "std")
"""Of what a checkpoint says of itself, as JSON."""


def write_weights(source: Path, target: Path) -> None:
    """Write the network's tensors, by the names that it gives them, as safetensors.

    They are averaged ones where training used such, as in the checkpoint. The file's metadata tell the run,
    the epoch, the spec, the classes and the normalization. Raises StorageUnavailable and NewerFormat.
    """
    content = read_checkpoint(source)
    about = content[ABOUT]
    tensors = {
        name.removeprefix(NETWORK_PREFIX): tensor.contiguous().clone()  # some share memory, which it refuses
        for name, tensor in content["state_dict"].items()
        if name.startswith(NETWORK_PREFIX)
    }
    facts = {f"trainyard.{name}": json.dumps(about[name]) for name in _TOLD}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, target, {"format": "pt", "trainyard.run_id": about["run_id"], **facts})
    except OSError as error:
        raise storage_error("The weights could not be written", error) from error
