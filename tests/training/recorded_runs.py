"""Small runs of each form of segmentation, as numbers that a later state of the code must give again.

`python -m tests.training.recorded_runs FILE` trains them and writes what the test beside this compares with
`tests/fixtures/recorded_runs.json`. It prints digests of every weight, score, report and output besides: two
states of the code that compute the same print the same on one machine, where another rounds otherwise.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from tests.fixtures.stored_storage import RELEASES, checkpoint_of, record_named, unpack, version_folder
from tests.training.conftest import CONFIGS, draw_set, tiny_spec
from tests.training.multilabel_set import draw_overlapping
from trainyard.runs.events import EpochEnd, Event
from trainyard.runs.signals import Signals
from trainyard.spec.experiments import Experiments
from trainyard.spec.stored import read_spec
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json, write_json
from workers.training.fit import fit, fit_epochs
from workers.training.job import SavedFile, TrainingJob
from workers.training.torch_files import read_torch_file

EPOCHS = 2
_OF_THE_CLOCK = frozenset(
    {
        "images_per_second", "epoch_seconds", "forward_seconds", "seconds", "times",
        "sha256", "bytes", "spec",
    }
)  # fmt: skip
"""Keys of rows and reports that differ from run to run, or with the form of a spec."""


def multiclass(folder: Path) -> TrainingJob:
    """Three classes, one of them rare, with weights, augmentation and an average of the weights."""
    spec = tiny_spec(
        augmentation={"preset": "medium"},
        optimization={"class_weighting": "auto", "ema_decay": 0.9},
        export={"onnx": True, "half": True},
    )
    return _job(folder, spec, draw_set(folder / "set", train=12, val=6))


def binary(folder: Path) -> TrainingJob:
    """Two classes, one logit, letterboxed."""
    prepared = draw_set(folder / "set", train=8, val=4)
    masks = np.fromfile(prepared / "masks.bin", np.uint8)
    np.where(masks == 2, 0, masks).astype(np.uint8).tofile(prepared / "masks.bin")
    index = read_json(prepared / "index.json")
    write_json(prepared / "index.json", {**index, "classes": index["classes"][:2]})
    spec = tiny_spec(
        model={"task": "binary"},
        data={"fit": "letterbox"},
        optimization={"freeze_encoder_epochs": 1},
        export={"onnx": True, "with_preprocessing": True},
    )
    return _job(folder, spec, prepared)


def multilabel(folder: Path) -> TrainingJob:
    """Classes that overlap, in crops."""
    spec = tiny_spec(
        model={"task": "multilabel"},
        data={"fit": "crop", "val_max_images": 3},
        optimization={"losses": [{"name": "bce", "weight": 1.0, "params": {}}]},
        checkpoints={"monitor": "val_dice"},
        export={"onnx": True},
    )
    return _job(folder, spec, draw_overlapping(folder / "set", train=8, val=4))


def stored(folder: Path) -> TrainingJob:
    """A run of an earlier release, gone on with."""
    storage = unpack(RELEASES[0], folder / "storage")
    record = record_named(storage, "completed")
    last = record["checkpoints"]["last"]
    file = SavedFile(path=checkpoint_of(storage, record, "last"), epoch=last["epoch"], sha256=last["sha256"])
    spec = read_spec(record["spec"])
    job = _job(folder, {}, version_folder(storage))
    spec = replace(spec, export=replace(spec.export, onnx=True))
    return replace(job, spec=spec, epochs=last["epoch"] + 1, resume_from=(file,))


RUNS: dict[str, Callable[[Path], TrainingJob]] = {
    job.__name__: job for job in (multiclass, binary, multilabel, stored)
}


def _job(folder: Path, spec: dict[str, Any], prepared: Path) -> TrainingJob:
    return TrainingJob(
        run_id="run-0123456789ab",
        spec=Experiments(CONFIGS).compose(spec),
        epochs=EPOCHS,
        folder=folder / "run",
        prepared=prepared,
        weights_file=None,
        threads=1,
        device_class="cpu",
    )


def rows_of(job: TrainingJob, *, finish: bool = True) -> list[dict[str, Any]]:
    """Train, and write what a trained run owes if it is to `finish`; the rows of the epochs."""
    events: list[Event] = []
    (fit if finish else fit_epochs)(job, events.append, Signals)
    return [_lasting(event.metrics) for event in events if isinstance(event, EpochEnd)]


def answer_of(job: TrainingJob) -> list[float]:
    """Some of the numbers that the exported network of a trained job makes of one picture."""
    some: list[float] = _answer(RunFolder(job.folder).onnx).reshape(-1)[::97].tolist()
    return some


def _answer(file: Path) -> Any:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(3).integers(0, 256, (1, 32, 32, 3))
    if session.get_inputs()[0].type == "tensor(uint8)":
        return session.run(None, {"image": pixels.astype(np.uint8)})[0]
    given = ((pixels / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2).astype(np.float32)
    return session.run(None, {"image": given})[0]


def digests(job: TrainingJob) -> dict[str, str]:
    """Of what a trained job has left, by what it is."""
    folder = RunFolder(job.folder)
    weights = hashlib.sha256()
    for file in sorted(folder.saved.glob("*.ckpt"), key=lambda path: path.name[:12]):
        for name, tensor in sorted(read_torch_file(file)["state_dict"].items()):
            weights.update(name.encode() + tensor.contiguous().numpy().tobytes())
    parts = {
        "weights": weights.hexdigest(),
        "answer": hashlib.sha256(_answer(folder.onnx).tobytes()).hexdigest(),
        "report": _digest(folder.report_json),
        "card": _digest(folder.export_card),
    }
    for picture in sorted(folder.figures.glob("*.png")):
        parts[picture.name] = hashlib.sha256(picture.read_bytes()).hexdigest()
    return {name: digest[:16] for name, digest in parts.items()}


def _digest(file: Path) -> str:
    return hashlib.sha256(json.dumps(_lasting(read_json(file)), sort_keys=True).encode()).hexdigest()


def _lasting(content: Any) -> Any:
    """The same without what the clock has to do with."""
    if isinstance(content, dict):
        return {name: _lasting(part) for name, part in content.items() if name not in _OF_THE_CLOCK}
    return [_lasting(part) for part in content] if isinstance(content, list) else content


def main() -> None:
    """Train all and write the file that the argument names."""
    torch.set_num_threads(1)
    found = {}
    for name, make in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            job = make(Path(folder))
            found[name] = {"rows": rows_of(job), "onnx": answer_of(job)}
            print(name, json.dumps(digests(job), indent=1), flush=True)
    Path(sys.argv[1]).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
