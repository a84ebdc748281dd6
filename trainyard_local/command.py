"""`trainyard train`: experiments on this machine, without a service."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from trainyard.errors import TrainyardError
from trainyard.runs.record import RunStatus
from trainyard.tasks.registry import TASKS, forms
from trainyard_client.command.runs.assignments import object_of, spec_of, spec_options
from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.output import Output, shown_seconds
from trainyard_local.command_errors import client_error, show_findings
from trainyard_local.experiment import Experiment
from trainyard_local.result import TrainingResult
from trainyard_local.spec_files import read_spec_file
from trainyard_local.sweep import sweep_to_end
from trainyard_local.view import reading_view, training_view
from workers.process.environment import wait_briefly

F = TypeVar("F", bound=Callable[..., Any])
_STATUSES = {"completed": exit_codes.DONE, "stopped": exit_codes.RUN_STOPPED}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line says."""

    data: Path | None
    experiment: str | None
    task: str | None
    spec_file: Path | None
    assignments: tuple[str, ...]
    epochs: int | None
    patience: int | None
    resume: str | None
    fork: str | None
    checkpoint: str
    name: str | None
    classes: str | None
    options: tuple[str, ...]
    sweep: Path | None
    at_once: int
    runs: Path
    device: str | None
    threads: int | None
    as_json: bool

    @property
    def spec(self) -> dict[str, Any]:
        """What is laid over the experiment."""
        field = "task" if self.task in TASKS else "model.task"
        shortcuts = {"early_stopping.patience": self.patience, field: self.task, "epochs": self.epochs}
        given = [f"{name}={value}" for name, value in shortcuts.items() if value is not None]
        return spec_of(self.spec_file, [*self.assignments, *given])

    @property
    def reading(self) -> dict[str, Any]:
        """How the data set is read."""
        options = spec_of(None, self.options)
        return {**options, "classes": object_of(self.classes, "--classes")} if self.classes else options

    def check(self) -> None:
        """Raise UsageError for what does not go together."""
        if self.resume and (self.fork or self.sweep):
            raise click.UsageError("--resume goes with neither --fork nor --sweep.")
        if self.resume and (self.spec.keys() - {"epochs"} or self.experiment or self.name):
            raise click.UsageError("--resume goes on with the spec as it is; --fork begins with another one.")
        if self.data is None and not (self.resume or self.fork):
            raise click.UsageError("Give a data set, or --resume or --fork with an experiment.")


def _options(function: F) -> F:
    """The options of the command, those first that are used most."""
    file = click.Path(path_type=Path)
    tasks = click.Choice([*TASKS, *forms()])
    devices = click.Choice(["cpu", "gpu"])
    many, none_or_more = click.IntRange(min=1), click.IntRange(min=0)
    options = (
        click.option("-e", "--experiment", help="A ready spec by name, or a YAML file with one."),
        click.option("--epochs", type=many, help="Epochs to train; of --resume the new target."),
        spec_options,
        click.option("--patience", type=none_or_more, help="End after so many epochs that were no better."),
        click.option(
            "--task",
            type=tasks,
            metavar="TASK",
            help=f"What is learnt ({', '.join(TASKS)}), or its form ({', '.join(forms())}); by default what "
            "the data set has.",
        ),
        click.option("--resume", metavar="EXP", help="Go on with an experiment from its last checkpoint."),
        click.option("--fork", metavar="EXP", help="Begin with the weights and the spec of an experiment."),
        click.option(
            "--checkpoint", default="best", show_default=True, help="Of --fork: best, last, an epoch."
        ),
        click.option("--name", help="Name of the experiment; `auto` makes one of its spec."),
        click.option("--classes", help='Names of mask values as JSON: {"0": "background", "255": "pet"}.'),
        click.option(
            "--data", "options", multiple=True, metavar="NAME=VALUE", help="Another option of reading DATA."
        ),
        click.option("--sweep", type=file, help="A YAML file with a grid or a list of variants to train."),
        click.option(
            "--at-once", default=1, show_default=True, type=many, help="Variants trained at a time."
        ),
        click.option("--runs", default="runs", show_default=True, type=file, help="Folder of experiments."),
        click.option("--device", type=devices, help="A GPU where there is one, by default."),
        click.option("--threads", type=many, help="CPU threads; all cores by default."),
        click.option("--json", "as_json", is_flag=True, help="The result as one JSON document."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@click.argument("data", required=False, type=click.Path(path_type=Path))
@_options
def train(**asked: Any) -> int:
    """Train on DATA, a folder or an archive, on this machine and without a service.

    Reads the data set, trains, and writes checkpoints, metrics, curves, a report and a verified ONNX file
    into runs/expN, the next one that is free. Ctrl-C stops it and keeps the work. Ends with status 0 for a
    completed training, 3 for what is refused, 7 for one that failed, 8 for one that was stopped.

    \b
    trainyard train data/nuclei --epochs 3
    trainyard train --resume exp1 --epochs 5
    trainyard train --fork exp1 --set optimization.learning_rate=0.0001
    trainyard run compare runs/exp1 runs/exp2
    """
    said = Asked(**asked)
    said.check()
    wait_briefly(os.environ)  # before torch is imported, which reads it
    output = Output(said.as_json)
    experiment = None
    try:
        if said.sweep:
            return _sweep(said, output)
        experiment = _experiment(said, output)
        return _STATUSES[_trained(said, experiment, output).status]
    except TrainyardError as error:
        show_findings(output, error)
        has_trained = experiment is not None and experiment.record.status == RunStatus.FAILED
        raise client_error(error, has_trained=has_trained) from error


def _experiment(asked: Asked, output: Output) -> Experiment:
    """The one to train: found again, forked, or new."""
    with reading_view(output, str(asked.data)) as progress:
        if asked.resume:
            return Experiment.open(asked.resume, asked.runs)
        reading: Mapping[str, Any] = {"options": asked.reading, "progress": progress, "name": asked.name}
        if asked.fork:
            origin = Experiment.open(asked.fork, asked.runs)
            return origin.fork(asked.spec, checkpoint=asked.checkpoint, data=asked.data, **reading)
        assert asked.data is not None  # noqa: S101 - `check` has seen to it
        experiment, spec = read_spec_file(asked.experiment, asked.spec)
        return Experiment.new(asked.data, experiment=experiment, spec=spec, runs=asked.runs, **reading)


def _trained(asked: Asked, experiment: Experiment, output: Output) -> TrainingResult:
    run = experiment.record
    target = asked.epochs if asked.resume and asked.epochs else run.epochs
    output.note(f"{experiment.name}: {experiment.folder}")
    with training_view(output, experiment.name, target, run.spec.checkpoints.monitor) as report:
        result = experiment.train(
            epochs=asked.epochs if asked.resume else None,
            threads=asked.threads,
            device=asked.device,
            report=report,
            tell=output.note,
        )
    if output.as_json:
        output.document({"name": experiment.name, **asdict(result), "folder": str(result.folder)})
    else:
        _show(output, result)
    return result


def _show(output: Output, result: TrainingResult) -> None:
    early = ", which ended early" if result.stopped_early else ""
    output.line(
        f"{result.folder.name} is {result.status} after epoch {result.epochs} of {result.target}{early}; "
        f"{shown_seconds(result.seconds)}."
    )
    if result.best_value is not None:
        output.line(f"best {result.monitor} {result.best_value:.4f} in epoch {result.best_epoch}")
    for file in ("checkpoints/best.ckpt", "export/model.onnx", "report.html", "figures/curves.svg"):
        if (result.folder / file).is_file():
            output.line(str(result.folder / file))


def _sweep(asked: Asked, output: Output) -> int:
    assert asked.sweep is not None  # noqa: S101 - the caller has looked
    if asked.data is not None:
        # Once, and not by each variant at the same time.
        from trainyard_local.dataset import read_dataset

        with reading_view(output, str(asked.data)) as progress:
            read_dataset(asked.data, asked.runs, options=asked.reading, progress=progress)
    return sweep_to_end(
        asked.sweep,
        _common(asked),
        at_once=asked.at_once,
        threads=asked.threads or len(os.sched_getaffinity(0)),
        output=output,
    )


def _common(asked: Asked) -> list[str]:
    """The arguments that all variants of a sweep have."""
    words = [] if asked.data is None else [str(asked.data)]
    for name in (
        "experiment",
        "epochs",
        "patience",
        "task",
        "fork",
        "checkpoint",
        "classes",
        "runs",
        "device",
    ):
        value = getattr(asked, name)
        words += [] if value is None else [f"--{name}", str(value)]
    words += ["--spec", str(asked.spec_file)] if asked.spec_file else []
    words += [word for text in asked.assignments for word in ("--set", text)]
    words += ["--name", "auto"] if asked.name else []
    return words + [word for text in asked.options for word in ("--data", text)]
