"""Other ranks that fail as a test wants: run in place of `workers.training.engine.ddp._join`."""

import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import torch

from workers.training.compute.rank import Rank
from workers.training.engine.ddp import _join
from workers.training.epochs.module import TrainingModule
from workers.training.job import TrainingJob

Step = Callable[[TrainingModule, Any, int], torch.Tensor]


def dies(link: Connection, job: TrainingJob, rank: Rank, parent: int) -> None:
    """Is killed in its second step."""

    def step(module: TrainingModule, batch: Any, batch_idx: int) -> torch.Tensor:
        if module.trainer.global_step == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(module, batch, batch_idx)

    real = _replaced(step)
    _join(link, job, rank, parent)


def runs_out_of_memory(link: Connection, job: TrainingJob, rank: Rank, parent: int) -> None:
    """Has no memory for batches of two."""

    def step(module: TrainingModule, batch: Any, batch_idx: int) -> torch.Tensor:
        if len(batch["name"]) > 1:
            raise torch.AcceleratorError("CUDA error: out of memory")
        return real(module, batch, batch_idx)

    real = _replaced(step)
    _join(link, job, rank, parent)


def _replaced(step: Step) -> Step:
    real = TrainingModule.training_step
    TrainingModule.training_step = step  # type: ignore[method-assign, assignment]
    return real  # type: ignore[return-value]
