"""In place of `workers.runs.training_child`, one whose first step fails as the environment says."""

import os
from pathlib import Path
from typing import Any

import torch

from tests.gpu.check import CPU
from workers.process.child import Link, Message
from workers.runs import training_child
from workers.training.compute.devices import PROCESSOR
from workers.training.engine import attempt as attempt_module
from workers.training.epochs.module import TrainingModule

FAILURE_VARIABLE = "GPU_SUITE_FAILURE"
"""Names a file that says which failure: processes have the variables of the server that starts them."""
DEVICE_VARIABLE = "GPU_SUITE_DEVICE"
ASSERT = "assert"
"""A real one, of an index that is out of range, where there is a GPU; else its text."""
TEXTS = {
    ASSERT: "CUDA error: device-side assert triggered",
    "xid": "CUDA error: uncorrectable ECC error encountered",
    "lost": "CUDA error: an illegal memory access was encountered",
    "cublas": "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
}


def work(link: Link, data: Message) -> None:
    """Train until the first step, which fails."""
    failure = Path(os.environ[FAILURE_VARIABLE]).read_text()

    def step(module: TrainingModule, batch: Any, batch_idx: int) -> Any:
        if failure == ASSERT and module.device.type == "cuda":
            outside = torch.full((4,), 1_000_000, device=module.device)
            torch.zeros(4, device=module.device)[outside].sum().item()
        raise torch.AcceleratorError(TEXTS[failure])

    TrainingModule.training_step = step  # type: ignore[method-assign, assignment]
    if os.environ[DEVICE_VARIABLE] == CPU:
        # The queue is that of a GPU, whose faults are what is looked at.
        attempt_module.device_of_class = lambda device_class: PROCESSOR
    training_child.work(link, data)
