"""Train without any service: `python -m workers.training SPEC.yaml --prepared DIR --out DIR`."""

import argparse
import os
import sys
from pathlib import Path

import yaml

from trainyard.catalog.names import CPU
from trainyard.errors import InvalidRequest, TrainyardError
from trainyard.runs.events import Event
from trainyard.runs.signals import Signals
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import RunFolder
from trainyard.tasks.registry import TASKS
from workers.process.environment import grow_memory_in_place, hide_gpus, keep_gpus, name_gpus_by_bus
from workers.training.checkpoints.local_checkpoints import LocalCheckpoints
from workers.training.fit import fit
from workers.training.job import TrainingJob
from workers.training.log_lines import describe, score
from workers.training.typed_errors import EXPECTED, typed_error


def main(arguments: list[str]) -> int:
    """Train as the arguments say; returns the exit status, 1 for anything that Trainyard refuses."""
    parser = argparse.ArgumentParser(prog="python -m workers.training", description=__doc__)
    parser.add_argument("spec", type=Path, help="a partial spec, laid over configs/defaults.yaml")
    parser.add_argument("--prepared", type=Path, required=True, help="folder of a prepared data set")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, logs and export")
    parser.add_argument("--resume", action="store_true", help="continue from the newest checkpoint in --out")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="CPU threads")
    parser.add_argument(
        "--device", choices=("cpu", "gpu"), help="where to train; default: a GPU where there is one"
    )
    asked = parser.parse_args(arguments)
    name_gpus_by_bus(os.environ)
    grow_memory_in_place(os.environ)
    if asked.device == CPU:
        hide_gpus(os.environ)
    try:
        spec = _read_spec(asked.spec)
        if asked.device != CPU:
            keep_gpus(os.environ, spec.compute.device_places)
        folder = RunFolder(asked.out)
        checkpoints = LocalCheckpoints(folder, spec.checkpoints.keep_last, resume=asked.resume)
        job = TrainingJob(
            run_id=asked.out.name,
            spec=spec,
            epochs=spec.epochs,
            folder=asked.out,
            prepared=asked.prepared,
            weights_file=Path(named) if (named := spec.model.weights_file) else None,
            encoder_folder=Path(lies) if (lies := spec.model.encoder_folder) else None,
            threads=asked.threads,
            device_class=asked.device,
            resume_from=checkpoints.resume_from,
            best=checkpoints.best,
        )

        def report(event: Event) -> None:
            checkpoints.take(event)
            _print_event(event)

        result = fit(job, report, Signals)
    except EXPECTED as raised:
        if (error := typed_error(raised)) is None:
            raise
        print(f"{error.code}: {error.message}\n{error.remedy}", *_lines(error), sep="\n", file=sys.stderr)
        return 1
    metric, title = TASKS[spec.task].headline
    print(f"{result.status}: best epoch {result.best_epoch}, {title} {score(result.best.get(metric))}")
    return 0


def _read_spec(path: Path) -> TrainingSpec:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise InvalidRequest(f"{path} must hold a mapping, as configs/defaults.yaml does.")
    return Experiments(CONFIGS).compose(content)


def _lines(error: TrainyardError) -> list[str]:
    return [f"  {field}: {problem}" for field, problem in error.errors.items()]


def _print_event(event: Event) -> None:
    if line := describe(event):
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
