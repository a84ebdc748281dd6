"""Each way in which training refuses or fails, by its code."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.conftest import Run, draw_set, tiny_spec
from trainyard import errors
from trainyard.storage.files import RunFolder
from workers.devices.cuda import CudaProblem
from workers.training.compute import devices
from workers.training.epochs.module import TrainingModule
from workers.training.tasks.segmentation.export import onnx_files as export

ENGINE = Path(export.__file__).parent
Patch = pytest.MonkeyPatch


def _wrong_task(run: Run, patch: Patch) -> None:
    run.fit(spec=tiny_spec(model={**tiny_spec()["model"], "task": "binary"}))


def _damaged_masks(run: Run, patch: Patch) -> None:
    run.prepared = draw_set(run.folder.parent / "damaged", train=2, val=1)
    masks = np.fromfile(run.prepared / "masks.bin", np.uint8)
    np.where(masks == 2, 9, masks).astype(np.uint8).tofile(run.prepared / "masks.bin")
    run.fit()


def _no_such_fold(run: Run, patch: Patch) -> None:
    run.fit(spec=tiny_spec(data={"image_size": 32, "batch_size": 2, "split_index": 2}))


def _batch_of_one(run: Run, patch: Patch) -> None:
    model = {"architecture": "DeepLabV3", "encoder": "resnet18"}
    run.fit(spec=tiny_spec(model=model, data={"image_size": 32, "batch_size": 1}))


def _weights_of_another_encoder(run: Run, patch: Patch) -> None:
    run.fit(spec=tiny_spec(model={**tiny_spec()["model"], "encoder_weights": "packaged"}))


def _loss_without_bounds(run: Run, patch: Patch) -> None:
    over = {"learning_rate": 1.0, "optimizer": "sgd", "gradient_clip": 0.0}
    losses = [{"name": "cross_entropy", "weight": 1000.0, "params": {}}]
    run.fit(epochs=50, spec=tiny_spec(optimization={**over, "losses": losses}))


def _no_device_memory_left(run: Run, patch: Patch) -> None:
    _without_memory(run, patch, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))


def _no_host_memory_left(run: Run, patch: Patch) -> None:
    said = "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"
    _without_memory(run, patch, RuntimeError(said))


def _without_memory(run: Run, patch: Patch, error: RuntimeError) -> None:
    def step(module: TrainingModule, batch: Any, batch_idx: int) -> Any:
        raise error

    patch.setattr(TrainingModule, "training_step", step)
    run.fit()


def _driver_too_old(run: Run, patch: Patch) -> None:
    problem = CudaProblem(message="The NVIDIA driver is too old.", remedy="Upgrade it.")
    patch.setattr(devices, "problem_with_cuda", lambda: problem)
    run.fit_job(replace(run.job(), device_class="gpu"))


def _nowhere_to_save(run: Run, patch: Patch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    patch.setattr(torch, "save", refuse)
    run.fit()


def _no_such_operator(run: Run, patch: Patch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise torch.onnx.OnnxExporterError("no such operator")

    patch.setattr(torch.onnx, "export", refuse)
    run.fit(spec=tiny_spec(export={"onnx": True}))


FAILURES: dict[type[errors.TrainyardError], tuple[Callable[[Run, Patch], None], str]] = {
    errors.InvalidRequest: (_wrong_task, "exactly two classes"),
    errors.BadDataset: (_no_such_fold, "the set has 0 folds"),
    errors.MaskIdOutOfRange: (_damaged_masks, "The mask of drawn-0[0-2] holds the value 9"),
    errors.InvalidModel: (_batch_of_one, "batches of at least 2"),
    errors.WeightsUnavailable: (_weights_of_another_encoder, "Packaged weights are those of"),
    errors.NanLoss: (_loss_without_bounds, "The loss became (nan|inf) in epoch .* on: drawn-"),
    errors.CudaOutOfMemory: (_no_device_memory_left, "Twice the batch does not fit"),
    errors.HostOutOfMemory: (_no_host_memory_left, "Twice the batch does not fit"),
    errors.DeviceFault: (_driver_too_old, "driver is too old"),
    errors.StorageUnavailable: (_nowhere_to_save, "A checkpoint could not be written"),
    errors.ExportMismatch: (_no_such_operator, "cannot be written as ONNX"),
}


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.code)
def test_it_fails_by_its_code_and_says_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: type[errors.TrainyardError]
) -> None:
    provoke, said = FAILURES[kind]
    with pytest.raises(kind, match=said) as caught:
        provoke(run, monkeypatch)
    stored = caught.value.to_dict()
    assert stored["code"] == kind.code
    assert stored["remedy"]
    assert not RunFolder(run.folder).onnx.exists()


def test_the_engine_raises_no_other_code() -> None:
    raised = {
        node.func.id
        for file in ENGINE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    typed = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert raised & typed <= {kind.__name__ for kind in FAILURES}
