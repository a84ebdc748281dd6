"""Whether CUDA can be used here, and in plain words why not.

PyTorch itself says no more than "no" and goes on with the processor. What is asked here makes CUDA ready in
this process, so it is never asked in one that forks.
"""

import ctypes
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from trainyard.errors import DeviceFault

_DRIVER = Path("/proc/driver/nvidia/version")
_LEAST_DRIVERS = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}
"""The oldest Linux driver for each major version of CUDA (NVIDIA, "CUDA compatibility")."""
_OTHER_BUILD = (
    "Upgrade the NVIDIA driver, or install the requirements for older drivers (docs/gpu.md). "
    "To train on the processor, serve the device class cpu."
)
_NO_GPU = (
    "Make the GPU visible to this process (driver, container, CUDA_VISIBLE_DEVICES; docs/gpu.md), "
    "or serve the device class cpu."
)


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU as CUDA describes it; `capability` as (8, 6), `memory_bytes` in all."""

    name: str
    capability: tuple[int, int]
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class CudaFacts:
    """What is installed and what was found.

    `built_for` is the version of CUDA that PyTorch was built for, as 13.0, None of a build without; `driver`
    the NVIDIA driver's own version, `driver_cuda` the newest CUDA it knows, both None where there is none.
    `kernels` are architectures, as sm_90 and compute_90, `said` what CUDA complained of.
    """

    built_for: str | None
    driver: str | None
    driver_cuda: tuple[int, int] | None
    kernels: tuple[str, ...]
    gpus: tuple[Gpu, ...]
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class CudaProblem:
    """Why CUDA cannot be used; `is_absence` where there just is no GPU to use."""

    message: str
    remedy: str
    is_absence: bool = False

    @property
    def error(self) -> DeviceFault:
        """What to raise where a GPU is needed."""
        return DeviceFault(self.message, remedy=self.remedy)


def problem_with_cuda() -> CudaProblem | None:
    """What keeps this process from using its GPUs, None where nothing does."""
    return problem_of(cuda_facts())


def cuda_facts() -> CudaFacts:
    """Ask PyTorch, the driver and the GPUs."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        count = torch.cuda.device_count()
    gpus: tuple[Gpu, ...] = ()
    complaint = " ".join(str(warning.message) for warning in said)
    try:
        gpus = tuple(_gpu(index) for index in range(count))
    except RuntimeError as error:
        complaint = str(error)
    return CudaFacts(
        built_for=torch.version.cuda,
        driver=driver_version(),
        driver_cuda=_driver_cuda(),
        kernels=tuple(torch.cuda.get_arch_list()) if torch.version.cuda else (),
        gpus=gpus,
        said=complaint.partition("(Triggered")[0].strip(),
    )


def problem_of(facts: CudaFacts) -> CudaProblem | None:
    """What is wrong with what was found; the first thing that has to be mended."""
    if facts.built_for is None:
        return CudaProblem(
            message="PyTorch is installed here in a build without CUDA.",
            remedy="Install the locked requirements, which hold the build with CUDA; " + _NO_GPU,
            is_absence=True,
        )
    if facts.driver_cuda is None:
        return CudaProblem(message="No NVIDIA driver was found.", remedy=_NO_GPU, is_absence=True)
    major = int(facts.built_for.split(".")[0])
    if facts.driver_cuda[0] < major:
        return CudaProblem(message=_too_old(facts, major), remedy=_OTHER_BUILD)
    if not facts.gpus:
        complaint = f" It says: {facts.said}" if facts.said else ""
        return CudaProblem(
            message=f"CUDA finds no GPU that it can use.{complaint}",
            remedy=_NO_GPU,
            is_absence=not facts.said,
        )
    for gpu in facts.gpus:
        if not has_kernels(gpu.capability, facts.kernels):
            return CudaProblem(message=_no_kernels(gpu, facts.kernels), remedy=_OTHER_BUILD)
    return None


def has_kernels(capability: tuple[int, int], kernels: tuple[str, ...]) -> bool:
    """Whether a GPU can run one of these: sm_ of its own major version and no newer minor one, or compute_,
    which the driver compiles, of no newer version at all."""
    for kernel in kernels:
        found = re.fullmatch(r"(sm|compute)_(\d+)(\d)a?", kernel)
        if found is None:
            continue
        major, minor = int(found[2]), int(found[3])
        is_same = found[1] == "sm" and major == capability[0] and minor <= capability[1]
        if is_same or (found[1] == "compute" and (major, minor) <= capability):
            return True
    return False


def _too_old(facts: CudaFacts, major: int) -> str:
    known = "CUDA " + ".".join(map(str, facts.driver_cuda or ()))
    found = f"{facts.driver} ({known})" if facts.driver else f"one of {known}"
    least = _LEAST_DRIVERS.get(major)
    wanted = f"{least} or newer" if least else f"of CUDA {major}"
    return (
        f"The NVIDIA driver is too old: found {found}; PyTorch {torch.__version__} is built for CUDA "
        f"{facts.built_for} and needs driver {wanted}."
    )


def _no_kernels(gpu: Gpu, kernels: tuple[str, ...]) -> str:
    own = "{}.{}".format(*gpu.capability)
    return (
        f"{gpu.name} has compute capability {own}; PyTorch {torch.__version__} has no code for it, only for: "
        f"{', '.join(kernels)}."
    )


def _gpu(index: int) -> Gpu:
    properties = torch.cuda.get_device_properties(index)
    return Gpu(
        name=properties.name,
        capability=(properties.major, properties.minor),
        memory_bytes=properties.total_memory,
    )


def driver_version() -> str | None:
    """The NVIDIA driver's own version, as 580.95.05, by its module; None where none is loaded."""
    if not _DRIVER.exists():
        return None
    found = re.search(r"\b\d+\.\d+(\.\d+)?\b", _DRIVER.read_text())
    return found[0] if found else None


def _driver_cuda() -> tuple[int, int] | None:
    """By the driver's own library, which answers this without being made ready."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int()
    if library.cuDriverGetVersion(ctypes.byref(version)) or version.value == 0:
        return None
    return version.value // 1000, version.value % 1000 // 10


def exercise(index: int) -> None:
    """Have one GPU allocate, multiply and convolve, and check what it gives; raises RuntimeError."""
    device = torch.device("cuda", index)
    ones = torch.ones(64, 64, device=device)
    product = (ones @ ones).sum()
    image, taps = torch.ones(1, 8, 16, 16, device=device), torch.ones(8, 8, 3, 3, device=device)
    response = torch.nn.functional.conv2d(image, taps).sum()
    found = (float(product), float(response))
    expected = (64.0**3, 8 * 8 * 9 * 14.0**2)
    if any(abs(value - right) > right * 1e-3 for value, right in zip(found, expected, strict=True)):
        raise RuntimeError(f"GPU {index} computes {found} where {expected} is right.")
