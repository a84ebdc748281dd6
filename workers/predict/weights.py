"""The weights of a checkpoint alone: a third of it, readable without pickle and without Trainyard."""

import json
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save_file

from trainyard.storage.errors import storage_error
from workers.training.checkpoints.files import ABOUT, read_checkpoint
from workers.training.checkpoints.trained_network import card_of
from workers.training.network.warm_start import NETWORK_PREFIX


def write_weights(source: Path, target: Path) -> None:
    """Write the network's tensors, by the names that it gives them, as safetensors.

    They are averaged ones where training used such, as in the checkpoint. The file's metadata tell the run,
    the epoch, the spec, the classes and the normalization. Raises StorageUnavailable and NewerFormat.
    """
    content = read_checkpoint(source)
    card = card_of(content)
    tensors = {
        name.removeprefix(NETWORK_PREFIX): tensor.contiguous().clone()  # some share memory, which it refuses
        for name, tensor in content["state_dict"].items()
        if name.startswith(NETWORK_PREFIX)
    }
    facts = {
        "format": "pt",
        "trainyard.run_id": card.run_id,
        "trainyard.epoch": str(content[ABOUT]["epoch"]),
        "trainyard.spec": json.dumps(card.spec.to_dict()),
        "trainyard.classes": json.dumps([asdict(one) for one in card.classes]),
        "trainyard.mean": json.dumps(list(card.rule.mean)),
        "trainyard.std": json.dumps(list(card.rule.std)),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, target, facts)
    except OSError as error:
        raise storage_error("The weights could not be written", error) from error
