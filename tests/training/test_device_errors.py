"""What CUDA, its libraries and the loader processes say when memory or the device gives out."""

import signal
from pathlib import Path

import cv2
import pytest
import torch

from tests.training.conftest import Run, tiny_spec
from trainyard.errors import (
    CudaOutOfMemory,
    DeviceFault,
    HostOutOfMemory,
    LoaderDied,
    Segfault,
    TrainyardError,
)
from trainyard.runs.events import BatchSizeChanged, Notice
from workers.process.error_texts import meaning_of
from workers.process.exit_diagnosis import PostMortem
from workers.training.epochs.module import TrainingModule
from workers.training.typed_errors import typed_error

HINT = "\nCUDA kernel errors might be asynchronously reported at some other API call."
MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has ..."),
    torch.AcceleratorError("CUDA error: out of memory" + HINT),
    RuntimeError("CUDA error: out of memory" + HINT),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
    RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
    RuntimeError("CUDA driver error: out of memory"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("NCCL error: unhandled cuda error\nLast error:\nFailed to CUDA calloc async 608 bytes"),
    RuntimeError("Triton Error [CUDA]: out of memory"),
    torch.distributed.DistBackendError(
        "NCCL error in: NCCLUtils.cpp:77, unhandled cuda error\nLast error:\nCuda failure 2 'out of memory'"
    ),
]
MACHINE = [
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    RuntimeError("std::bad_alloc"),
    RuntimeError("could not create a memory object"),
    cv2.error("OpenCV(4.12.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes"),
    torch.AcceleratorError(
        "Caught AcceleratorError in pin memory thread for device 0.\nOriginal Traceback ...\n"
        "torch.AcceleratorError: CUDA error: out of memory" + HINT
    ),
    RuntimeError("cudaHostAlloc failed: out of memory"),
]
LOADER = [
    RuntimeError("unable to mmap 1048576 bytes from file </torch_77_1_1>: Cannot allocate memory (12)"),
    RuntimeError("unable to write to file </torch_77_1_1>: No space left on device (28)"),
    RuntimeError("unable to allocate shared memory(shm) for file </torch_77>: Resource unavailable (11)"),
    RuntimeError(
        "DataLoader worker (pid 77) is killed by signal: Bus error. It is possible that dataloader's workers "
        "are out of shared memory. Please try to raise your shared memory limit."
    ),
    RuntimeError("DataLoader worker (pid 77) is killed by signal: Killed. "),
    RuntimeError("received 0 items of ancdata"),
]
DEVICE = [
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered" + HINT),
    RuntimeError("CUDA error: an illegal memory access was encountered" + HINT),
    torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered"),
    torch.AcceleratorError("CUDA error: device-side assert triggered"),
    torch.AcceleratorError("CUDA error: unspecified launch failure"),
    torch.AcceleratorError("CUDA error: no kernel image is available for execution on the device"),
    torch.AcceleratorError("CUDA error: all CUDA-capable devices are busy or unavailable"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"),
    RuntimeError("NCCL error in: ProcessGroupNCCL.cpp:1, unhandled cuda error"),
    RuntimeError("No CUDA GPUs are available"),
    RuntimeError("CUDA unknown error. CUDA initialization: Unexpected error from cudaGetDeviceCount()"),
]
NEITHER = [
    RuntimeError("shapes differ"),
    RuntimeError("CUDA error: invalid configuration argument"),
    RuntimeError("cuDNN error: CUDNN_STATUS_BAD_PARAM"),
    RuntimeError("Failed to find C compiler."),
    ValueError("CUDA_VISIBLE_DEVICES"),
    cv2.error("OpenCV(4.12.0) resize.cpp:4208: error: (-215:Assertion failed) inv_scale_x > 0"),
]


def _name(error: Exception) -> str:
    return str(error)[:40]


@pytest.mark.parametrize("error", MEMORY, ids=_name)
def test_memory_of_the_device(error: Exception) -> None:
    assert type(typed_error(error)) is CudaOutOfMemory


@pytest.mark.parametrize("error", MACHINE, ids=_name)
def test_memory_of_the_machine(error: Exception) -> None:
    found = typed_error(error)
    assert type(found) is HostOutOfMemory
    assert "Traceback" not in found.message


@pytest.mark.parametrize("error", LOADER, ids=_name)
def test_loader_processes_that_are_gone(error: Exception) -> None:
    assert type(typed_error(error)) is LoaderDied


@pytest.mark.parametrize("error", DEVICE, ids=_name)
def test_faults_of_the_device(error: Exception) -> None:
    found = typed_error(error)
    assert type(found) is DeviceFault
    assert found.message
    assert "\n" not in found.message


@pytest.mark.parametrize("error", NEITHER, ids=_name)
def test_what_no_machine_is_to_blame_for(error: Exception) -> None:
    assert typed_error(error) is None


def test_full_shared_memory_is_named_with_its_remedy() -> None:
    found = typed_error(LOADER[3])
    assert found is not None
    assert "/dev/shm" in found.message
    assert "loader" in found.remedy


@pytest.mark.parametrize(
    "text",
    [
        "unable to open shared memory object </torch_7_1> in read-write mode: Too many open files (24)",
        "received 0 items of ancdata",
    ],
)
def test_a_process_that_may_open_no_more_files_is_told_so(text: str) -> None:
    found = typed_error(RuntimeError(text))
    assert type(found) is LoaderDied
    assert "ulimit" in found.message
    assert "/dev/shm, is full" not in found.message


def test_what_a_loader_process_died_of_stands_in_the_cause() -> None:
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError("DataLoader worker (pid(s) 77) exited unexpectedly") from LOADER[3]
    found = typed_error(caught.value)
    assert type(found) is LoaderDied
    assert "/dev/shm" in found.message


def test_a_library_that_has_memory_and_is_not_ready_is_broken() -> None:
    text = "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"
    assert meaning_of(text, has_device_memory=True) is DeviceFault
    assert meaning_of(text) is CudaOutOfMemory


@pytest.mark.variants(2)
@pytest.mark.parametrize("error", MEMORY[1:4] + MACHINE[5:6], ids=_name)
def test_half_the_batch_is_tried_whatever_said_that_memory_ran_out(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    real = TrainingModule.training_step

    def step(module: TrainingModule, batch: dict[str, list[str]], batch_idx: int) -> torch.Tensor:
        if len(batch["name"]) > 2:
            raise error
        return real(module, batch, batch_idx)  # type: ignore[arg-type]

    monkeypatch.setattr(TrainingModule, "training_step", step)
    result = run.fit(epochs=1, spec=tiny_spec())
    assert result.status == "completed"
    assert [(event.batch_size, event.accumulate_batches) for event in run.of(BatchSizeChanged)] == [(2, 2)]
    assert any("ran out of memory" in event.message for event in run.of(Notice))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("  what():  CUDA error: an illegal memory access was encountered", DeviceFault),
        ("[rank0]: Process group watchdog thread terminated: CUDA error: out of memory", DeviceFault),
        ("terminate called after throwing an instance of 'std::bad_alloc'", HostOutOfMemory),
        ("Fatal Python error: Aborted", Segfault),
    ],
)
def test_an_aborted_process_says_why(tmp_path: Path, line: str, kind: type[TrainyardError]) -> None:
    log = tmp_path / "training.log"
    log.write_text(f"epoch 1\n{line}\nFatal Python error: Aborted\n")
    found = PostMortem(log).cause_of_death(-signal.SIGABRT)
    assert type(found) is kind
