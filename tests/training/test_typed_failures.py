"""Failures of the engine that a user can act on, provoked: changed data, broken masks, a full disk."""

import errno
import os
import re
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import Run, draw_set, tiny_spec
from tests.waits import scaled
from trainyard.errors import (
    BadDataset,
    CudaOutOfMemory,
    DatasetChanged,
    DiskFull,
    HostOutOfMemory,
    LoaderDied,
    MaskIdOutOfRange,
    NanLoss,
    NewerFormat,
    Segfault,
    StorageUnavailable,
)
from trainyard.storage.files import RunFolder
from workers.prepared.recorded import open_version
from workers.prepared.version import IGNORE_INDEX
from workers.process.child import Child
from workers.process.exit_diagnosis import PostMortem
from workers.runs.job_message import job_to_message
from workers.training.checkpoints.files import ABOUT, read_checkpoint
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.tasks.segmentation.data.squares import SegmentationDataset
from workers.training.tasks.segmentation.labels.mask_values import check_mask_values
from workers.training.typed_errors import EXPECTED, typed_error

ROOM_BYTES = 4096
"""Enough for records and logs of a tiny run, too little for any checkpoint."""


@pytest.fixture
def own_set(tmp_path: Path) -> Path:
    """A prepared set that the test may break."""
    return draw_set(tmp_path / "own", train=4, val=2)


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """The system takes no larger file from this process meanwhile, as a used-up quota would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def one_image() -> dict[str, object]:
    return tiny_spec(data={"image_size": 32, "batch_size": 2})


@pytest.mark.parametrize("workers", [0, 1])
def test_a_mask_of_no_class_is_named(own_set: Path, run_folder: Path, workers: int) -> None:
    masks = np.memmap(own_set / "masks.bin", np.uint8, mode="r+")
    pixels = 40 * 48
    masks[4 * pixels : 4 * pixels + 2000] = 7  # of the fifth image, the first to be validated
    spec = tiny_spec(data={"image_size": 32, "batch_size": 2, "loader_workers": workers})
    with pytest.raises(
        MaskIdOutOfRange, match=r"mask of drawn-04 holds the value 7; accepted are 0 to 2, and 255"
    ):
        Run(run_folder, own_set).fit(spec=spec)


def test_every_value_of_a_mask_is_judged() -> None:
    for classes in (2, 3, 255):
        for value in range(256):
            masks = np.full((1, 2, 2), value, np.uint8)
            if value < classes or value == IGNORE_INDEX:
                check_mask_values(masks, ["a"], classes, "multiclass")
            else:
                with pytest.raises(MaskIdOutOfRange, match=f"value {value};"):
                    check_mask_values(masks, ["a"], classes, "multiclass")


def test_every_bit_of_a_multilabel_mask_is_judged() -> None:
    for classes in (1, 3, 8):
        for value in range(256):
            masks = np.full((1, 2, 2), value, np.uint8)
            if value >> classes == 0:
                check_mask_values(masks, ["a"], classes, "multilabel")
            else:
                with pytest.raises(MaskIdOutOfRange, match=f"value {value};"):
                    check_mask_values(masks, ["a"], classes, "multilabel")


@pytest.mark.parametrize("name", ["index.json", "images.bin", "masks.bin"])
def test_prepared_files_that_are_gone(own_set: Path, run_folder: Path, name: str) -> None:
    (own_set / name).unlink()
    with pytest.raises(DatasetChanged, match=name.replace(".", r"\.")):
        Run(run_folder, own_set).fit()


@pytest.mark.parametrize("name", ["images.bin", "masks.bin", "index.json"])
def test_prepared_files_that_are_cut_short(own_set: Path, name: str) -> None:
    os.truncate(own_set / name, (own_set / name).stat().st_size - 2)
    with pytest.raises(DatasetChanged, match=f"{name} .* is (cut short|broken)"):
        open_version(own_set, None)
    os.truncate(own_set / name, 0)
    with pytest.raises(DatasetChanged, match=f"has no {name}"):
        open_version(own_set, None)


def test_prepared_files_of_another_content(own_set: Path) -> None:
    assert open_version(own_set, "drawn").content_hash == "drawn"
    with pytest.raises(DatasetChanged, match="content other"):
        open_version(own_set, "other")


def test_a_disk_that_fills_leaves_the_last_checkpoint_whole(run: Run) -> None:
    run.fit(epochs=1, spec=one_image())
    folder = RunFolder(run.folder)
    kept = folder.last_checkpoint.read_bytes()
    with no_file_above(ROOM_BYTES), pytest.raises(EXPECTED) as raised:
        run.fit(epochs=2, spec=one_image(), resume=True)
    assert isinstance(typed_error(raised.value), DiskFull)
    assert folder.last_checkpoint.read_bytes() == kept
    assert run.fit(epochs=2, spec=one_image(), resume=True).epoch == 2


def test_a_checkpoint_of_a_newer_trainyard_is_refused(run: Run) -> None:
    run.fit(epochs=1, spec=one_image())
    file = RunFolder(run.folder).last_checkpoint
    content = read_checkpoint(file)
    content[ABOUT]["schema"] = 2
    torch.save(content, file)
    with pytest.raises(NewerFormat, match=r"last\.ckpt was written by a newer Trainyard: its schema is 2"):
        read_checkpoint(file)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            BadDataset("drawn-03: no mask.\nBadDatasets have none."),
            "drawn-03: no mask.\nBadDatasets have none.",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate 9 bytes\nstack"),
            "DefaultCPUAllocator: can't allocate",
        ),
    ],
)
def test_an_error_of_a_loader_process_says_what_it_said_there(
    raised: Exception, said: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(squares: SegmentationDataset, draw: tuple[int, int]) -> dict[str, object]:
        raise raised from OSError("gone")

    monkeypatch.setattr(SegmentationDataset, "__getitem__", broken)
    job = run.job(spec=tiny_spec(data={"image_size": 32, "batch_size": 4, "loader_workers": 1}))
    loader = SegmentationData(open_version(job.prepared, None), job.spec).train_dataloader()
    with pytest.raises(type(raised), match="Traceback") as caught:
        next(iter(loader))
    found = typed_error(caught.value)
    assert found is not None
    assert found.message.startswith(said)
    assert "Traceback" not in found.message


def test_errors_of_the_libraries_get_their_names() -> None:
    assert isinstance(typed_error(OSError(errno.ENOSPC, "full")), DiskFull)
    assert type(typed_error(OSError(errno.ESTALE, "stale"))) is StorageUnavailable
    assert isinstance(typed_error(MemoryError()), HostOutOfMemory)
    assert isinstance(typed_error(torch.OutOfMemoryError("CUDA out of memory.")), CudaOutOfMemory)
    assert typed_error(RuntimeError("shapes differ")) is None
    nan = NanLoss("NaN")
    assert typed_error(nan) is nan


@pytest.mark.parametrize(("number", "kind"), [(errno.EDQUOT, DiskFull), (errno.EROFS, StorageUnavailable)])
def test_storage_errors_keep_their_message_and_learn_their_reason(number: int, kind: type[Exception]) -> None:
    try:
        raise StorageUnavailable("A checkpoint could not be written.") from OSError(number, "why")
    except StorageUnavailable as error:
        found = typed_error(error)
    assert type(found) is kind
    assert str(found) == "A checkpoint could not be written."


def test_a_crash_of_compiled_code_leaves_its_traceback_in_the_log(run: Run) -> None:
    """The real training process, hit while it trains."""
    log = RunFolder(run.folder).log
    found = PostMortem(log)
    child = Child(
        "workers.runs.training_child", job_to_message(run.job(epochs=1000)), time.monotonic() + scaled(120)
    )
    while not any(message["event"]["event"] == "epoch" for message in child.messages(scaled(60))):
        assert child.is_open, log.read_text()
    found.watch(child.pid)
    os.kill(child.pid, signal.SIGSEGV)
    code = child.wait(scaled(60))
    error = found.cause_of_death(code)
    assert isinstance(error, Segfault)
    assert re.search(r"SIGSEGV \(exit code -11\), in File .*, line \d+ in ", error.message)
    shown = found.failure(error.to_dict(), 1)
    assert "Fatal Python error: Segmentation fault" in shown["log_tail"]
    assert shown["peak_memory"]["process_bytes"] > 100_000_000


@pytest.mark.parametrize(
    "said",
    [
        "DataLoader worker (pid 17) is killed by signal: Killed. ",
        "DataLoader worker (pid(s) 17, 18) exited unexpectedly",
        "DataLoader worker (pid 17) is killed by signal: Bus error. It is possible that dataloader's workers "
        "are out of shared memory. Please try to raise your shared memory limit.",
        "unable to mmap 512 bytes from file </torch_1>: Cannot allocate memory (12)",
        "unable to write to file </torch_17_1>: No space left on device (28)",
    ],
)
def test_a_loader_that_is_gone_names_shared_memory_and_its_setting(said: str) -> None:
    found = typed_error(RuntimeError(said))
    assert isinstance(found, LoaderDied)
    assert "shared memory" in found.remedy
    assert "data.loader_workers" in found.remedy


def test_a_killed_loader_ends_a_run_with_its_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: SegmentationDataset, draw: tuple[int, int]) -> dict[str, object]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    monkeypatch.setattr(SegmentationDataset, "__getitem__", killed)
    with pytest.raises(RuntimeError) as caught:
        run.fit(epochs=1, spec=tiny_spec(data={"loader_workers": 1}))
    assert isinstance(typed_error(caught.value), LoaderDied)
