"""A trained network's file, opened once: whose task it is, and what that needs to use it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnxruntime
import torch

from trainyard.errors import InvalidRequest
from trainyard.tasks.registry import task_named
from trainyard.tasks.segmentation import SEGMENTATION
from workers.training.checkpoints.files import read_checkpoint
from workers.training.checkpoints.trained_network import card_of
from workers.training.export.sessions import LEARNING_TASK, open_file


@dataclass(frozen=True, kw_only=True)
class OpenModel:
    """A file of the task of that name: an ONNX file has a session and its metadata, `facts`; of a checkpoint
    the session is None, and its content is there."""

    task: str
    checkpoint: dict[str, Any] = field(default_factory=dict)
    session: onnxruntime.InferenceSession | None = None
    facts: dict[str, str] = field(default_factory=dict)


def open_model(path: Path) -> OpenModel:
    """Open a .ckpt, read without pickle, or an .onnx; on the CPU, with torch's number of threads.

    Raises InvalidRequest for a file of another kind or of a task that is not here, StorageUnavailable for one
    that cannot be read or was not written by Trainyard.
    """
    if path.suffix == ".ckpt":
        content = read_checkpoint(path)
        return OpenModel(task=task_named(card_of(content).spec.task).name, checkpoint=content)
    if path.suffix != ".onnx":
        raise InvalidRequest(
            f"{path.name} is no model file.", errors={"model": ["a file ending with .ckpt or .onnx"]}
        )
    session, facts = open_file(path, torch.get_num_threads())
    task = task_named(facts.get(LEARNING_TASK, SEGMENTATION.name))
    return OpenModel(task=task.name, session=session, facts=facts)
