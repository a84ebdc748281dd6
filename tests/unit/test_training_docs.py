"""docs/training.md names whatever a spec may ask for."""

from dataclasses import fields
from pathlib import Path

from trainyard.catalog import names as catalog
from trainyard.settings import Settings
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.segmentation import FORMS, LOSSES

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def test_every_group_loss_schedule_task_and_precision_has_its_line():
    groups = [field.name for field in fields(TrainingSpec)]
    parameters = [name for loss in LOSSES.values() for name in loss.params]
    named = [*groups, *parameters, *LOSSES, *catalog.SCHEDULES, *FORMS, *catalog.PRECISIONS]
    assert [name for name in [*named, *catalog.FITS] if f"`{name}`" not in PAGE] == []


def test_the_experiments_it_names_are_there():
    line = PAGE.split("The experiments use every option between them:")[1].split("\n\n")[0]
    assert {part for part in line.split("`") if "-" in part or part.isalpha()} <= set(
        Experiments(Settings().configs).names()
    )
