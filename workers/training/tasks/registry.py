"""The tasks that this code trains, by the names of their descriptions."""

from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.classification import CLASSIFICATION
from trainyard.tasks.detection import DETECTION
from trainyard.tasks.segmentation import SEGMENTATION
from workers.training.tasks.classification.task import Classification
from workers.training.tasks.detection.task import Detection
from workers.training.tasks.learning_task import LearningTask
from workers.training.tasks.segmentation.task import Segmentation

TASKS: dict[str, LearningTask] = {
    SEGMENTATION.name: Segmentation(),
    CLASSIFICATION.name: Classification(),
    DETECTION.name: Detection(),
}


def task_of(spec: TrainingSpec) -> LearningTask:
    """The task that a spec trains, which is one that `check_known` has let pass."""
    return TASKS[spec.task]
