"""What of this machine matters to training: memory that processes share, disk, devices, versions."""

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trainyard_client import __version__
from trainyard_client.command.doctor.findings import Finding
from trainyard_client.command.terminal.output import shown_bytes

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is looked at, not written to
LEAST_SHARED_MEMORY = 1 << 30
"""Bytes: loader processes hand batches over in it, and containers begin with 64 MB."""
LEAST_DISK = 20 * 10**9
"""Bytes: a prepared set takes four for each pixel, and each checkpoint some hundred millions."""
WRITTEN = 32 << 20
SLOWEST_DISK = 30e6
"""Bytes a second that a disk should take; checkpoints are waited for where it takes fewer."""
ENGINE = ("torch", "lightning", "segmentation-models-pytorch")
DEVICES = Path("/dev")
_PIECE = bytes(1 << 20)


def machine(folder: Path) -> Iterator[Finding]:
    """The findings; `folder` is where the speed of the disk is tried."""
    yield _versions()
    yield _devices()
    yield from _shared_memory()
    yield from _disk(folder)


def _versions() -> Finding:
    engine = ", ".join(f"{name} {found}" for name in ENGINE if (found := _installed(name)))
    with_engine = engine or "the client alone, without `trainyard train`"
    system = f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
    return Finding(check="versions", is_well=True, found=f"trainyard {__version__}, {system}; {with_engine}")


def _devices(folder: Path = DEVICES) -> Finding:
    """A GPU that is there and cannot be asked has a driver that does not fit."""
    there = sorted(folder.glob("nvidia[0-9]*"))
    cores = f"{len(os.sched_getaffinity(0))} cores" if hasattr(os, "sched_getaffinity") else ""
    if not there:
        return Finding(check="devices", is_well=True, found=f"no NVIDIA GPU; {cores}")
    try:
        asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            check="devices",
            is_well=False,
            found=f"{len(there)} NVIDIA device(s), and nvidia-smi gives no answer: {error}",
            remedy="Install the driver, or restart the machine where it was just updated (docs/gpu.md).",
        )
    return Finding(check="devices", is_well=True, found=f"{'; '.join(said.splitlines())}; {cores}")


def _shared_memory(folder: Path = SHARED_MEMORY) -> Iterator[Finding]:
    if not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    yield Finding(
        check="shared memory",
        is_well=free >= LEAST_SHARED_MEMORY,
        found=f"{shown_bytes(free)} free in {folder}",
        remedy="Give a container more (docker run --shm-size=8g), or train with data.loader_workers=0.",
    )


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    yield Finding(
        check="disk",
        is_well=free >= LEAST_DISK,
        found=f"{shown_bytes(free)} free in {folder}",
        remedy="Free some space, or work in a folder on another disk.",
    )
    try:
        speed = _written_per_second(folder)
    except OSError as error:
        yield Finding(
            check="disk speed",
            is_well=False,
            found=f"{folder} cannot be written to: {error.strerror}",
            remedy="Call it in a folder of your own.",
        )
        return
    yield Finding(
        check="disk speed",
        is_well=speed >= SLOWEST_DISK,
        found=f"{shown_bytes(int(speed))} a second are written in {folder}",
        remedy="Keep storage on a local disk or a faster share; saving a checkpoint waits for it.",
    )


def _written_per_second(folder: Path) -> float:
    """Until they are on the disk; the file that is tried with goes again. Raises OSError."""
    file = folder / f".trainyard-doctor-{os.getpid()}"
    began = time.perf_counter()
    try:
        with file.open("xb") as target:
            for _ in range(WRITTEN // len(_PIECE)):
                target.write(_PIECE)
            target.flush()
            os.fsync(target.fileno())
        return WRITTEN / (time.perf_counter() - began)
    finally:
        file.unlink(missing_ok=True)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
