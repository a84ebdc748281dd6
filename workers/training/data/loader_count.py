"""How many loader processes a run asks for where its spec leaves that to the worker."""

from trainyard.catalog.names import WHERE_IT_TRAINS
from trainyard.spec.training_spec import TrainingSpec

_HEAVY = 3
"""More transforms than these, those of the preset `light`, take loaders longer than a step."""


def loader_processes(spec: TrainingSpec, cores: int, *, for_gpu: bool) -> int:
    """What the spec says; for `auto` none on a CPU, whose cores the step uses itself, else as many as feed a
    GPU and leave one of the `cores` to the training process.

    Measured per image of 512 px on a core: 1 ms unvaried, 3 to 4 with `light`, 6 to 9 with `medium` and
    `strong`, where a GPU trains one in about 2 ms: 4, 8 and 12 processes have time to spare.
    """
    asked = spec.data.loader_workers
    if asked != "auto":
        return asked
    if not for_gpu:
        return 0
    return max(0, min(_enough(spec), cores - 1))


def _enough(spec: TrainingSpec) -> int:
    transforms = spec.augmentation.transforms
    if not transforms or spec.augmentation.device == WHERE_IT_TRAINS:
        return 4
    return 8 if len(transforms) <= _HEAVY else 12
