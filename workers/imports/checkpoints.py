"""Checkpoints of an experiment: read without pickle, and placed as those of its attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainyard.errors import TrainyardError
from trainyard.runs.checkpoints import EPOCH, LAST, Checkpoint
from trainyard.runs.record import Run
from trainyard.spec.checks import task_of
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_json
from workers.imports.archive import Copied, ExperimentFiles, unusable
from workers.imports.claims import Claims, Row
from workers.training.checkpoints.content import ABOUT, read_checkpoint
from workers.training.checkpoints.files import spec_hash
from workers.training.checkpoints.trained_network import card_of

_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, LookupError)
"""What a content of another form comes to where it is used."""


@dataclass(frozen=True)
class _About:
    """What a checkpoint tells of itself."""

    epoch: int
    step: int
    model: Any


def take_checkpoints(files: ExperimentFiles, claims: Claims, folder: RunFolder) -> dict[str, Checkpoint]:
    """Those that are in the archive, by name, each in the attempt's folder, with what stands beside it.

    Raises InvalidRequest for one that is none of this experiment, or where the last is missing.
    """
    names = [Path(name).stem for name in files.below("checkpoints")]
    if LAST not in names:
        raise unusable(
            "checkpoints/last.ckpt", "It is not in the archive, or only as a link: tar's --hard-dereference."
        )
    taken: dict[str, Checkpoint] = {}
    for name in names:
        taken[name] = _taken(files, name, claims, folder, taken)
    return taken


def _taken(
    files: ExperimentFiles, name: str, claims: Claims, folder: RunFolder, taken: Mapping[str, Checkpoint]
) -> Checkpoint:
    run, saved = claims.run, folder.attempt(claims.run.fence).saved
    file = f"checkpoints/{name}.ckpt"
    copied = files.copy(file, saved / f".{name}.ckpt")
    same = next((one for one in taken.values() if one.sha256 == copied.sha256), None)
    try:
        if same is not None:
            _check_epoch(name, file, same.epoch)
            copied.path.unlink()
            return same
        about = _about(copied, file, run)
        _check_epoch(name, file, about.epoch)
        target = saved / f"e{about.epoch:03d}-s{about.step:06d}-{copied.sha256[:8]}.ckpt"
        copied.path.replace(target)
    except OSError as error:
        raise storage_error(f"{file} could not be placed", error) from error
    write_json(target.with_name(f"{target.name}.json"), _beside(about, run.spec, claims.rows))
    return Checkpoint(
        file=target.relative_to(folder.path).as_posix(),
        epoch=about.epoch,
        step=about.step,
        bytes=copied.bytes,
        sha256=copied.sha256,
    )


def _check_epoch(name: str, file: str, epoch: int) -> None:
    if name.startswith(EPOCH) and int(name.removeprefix(EPOCH)) != epoch:
        raise unusable(file, f"It is of epoch {epoch}.")


def _about(copied: Copied, file: str, run: Run) -> _About:
    """Raises InvalidRequest for a file that is no checkpoint of the run's network."""
    try:
        content = read_checkpoint(copied.path)
        about, card = content[ABOUT], card_of(content)
        weights = content["state_dict"]
        is_whole = bool(weights) and all(isinstance(one, torch.Tensor) for one in weights.values())
        found = _About(epoch=int(about["epoch"]), step=int(about["step"]), model=card.spec.model)
    except TrainyardError as error:
        raise unusable(file, error.message.replace(copied.path.name, "it")) from error
    except _MALFORMED as error:
        raise unusable(file, "It holds no trained network of Trainyard.") from error
    own = run.spec.model
    is_same = (own.architecture, own.encoder, own.task) == (
        found.model.architecture,
        found.model.encoder,
        found.model.task,
    )
    if not (is_whole and is_same and 0 <= found.epoch <= run.epoch and found.step >= 0):
        raise unusable(file, "It is of another network, or of an epoch that was not trained.")
    return found


def _beside(about: _About, spec: TrainingSpec, rows: Sequence[Row]) -> dict[str, Any]:
    """What those who list checkpoints read, as training writes it."""
    row = next((one for one in rows if one["epoch"] == about.epoch), {})
    monitor = spec.checkpoints.monitor
    return {
        "epoch": about.epoch,
        "step": about.step,
        **{name: row.get(name) for name in task_of(spec).monitors},
        "monitor": monitor,
        "monitored": row.get(monitor),
        "spec_hash": spec_hash(spec),
    }
