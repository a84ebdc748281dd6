"""The device that a job computes on: the one its class says, whatever else this machine has."""

import torch

from trainyard.catalog.names import CPU, GPU_CLASSES
from trainyard.errors import InvalidRequest
from workers.devices.cuda import problem_with_cuda

PROCESSOR = torch.device("cpu")
BY_PLACE = frozenset({"cpu"})
"""Devices that add to places quickly, and whose numbers the host may look at without waiting."""


def device_of_class(device_class: str | None) -> torch.device:
    """The device of a class; of none of the known ones a GPU, or the processor where there is none.

    Raises DeviceFault where the class needs a GPU and CUDA cannot use one: training on the processor instead
    would take days, and nobody would be told why.
    """
    if device_class == CPU:
        return PROCESSOR
    problem = problem_with_cuda()
    if problem is None:
        return torch.device("cuda")
    if device_class not in GPU_CLASSES and problem.is_absence:
        return PROCESSOR
    raise problem.error


def check_device_count(device: torch.device, asked: int) -> None:
    """Raises InvalidRequest where there are fewer GPUs; of processes on a CPU there may be any number."""
    if device.type != "cuda" or torch.cuda.device_count() >= asked:
        return
    raise InvalidRequest(
        f"{asked} devices are asked for, and this worker has {torch.cuda.device_count()}.",
        errors={"spec": {"compute": {"devices": [f"at most {torch.cuda.device_count()} here"]}}},
    )
