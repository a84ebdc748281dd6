"""The tasks that this code trains, by what a spec calls them."""

from trainyard.spec.training_spec import TrainingSpec
from workers.training.tasks.learning_task import LearningTask
from workers.training.tasks.segmentation.task import Segmentation

_SEGMENTATION = Segmentation()
TASKS: dict[str, LearningTask] = {
    "multiclass": _SEGMENTATION, "binary": _SEGMENTATION, "multilabel": _SEGMENTATION
}  # fmt: skip


def task_of(spec: TrainingSpec) -> LearningTask:
    """The task that a spec trains."""
    return TASKS[spec.model.task]
