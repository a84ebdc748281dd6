"""What the texts of CUDA, its libraries and the loader processes mean; few of them have a type of their own.

Only what the text itself says counts: the same words come as RuntimeError, AcceleratorError, an error of a
compiler around them, or as the last lines of a process that was aborted.
"""

from trainyard.errors import CudaOutOfMemory, DeviceFault, HostOutOfMemory, LoaderDied, TrainyardError

_HOST_MEMORY = (
    "DefaultCPUAllocator",
    "std::bad_alloc",
    "Cannot allocate memory",
    "cudaHostAlloc",  # memory of the machine that the GPU may read by itself
    "cudaHostRegister",
    "could not create a memory",  # oneDNN
    "Insufficient memory",  # OpenCV
)
_SHARED_MEMORY = (
    "killed by signal: Bus error",  # of a loader process: it wrote to /dev/shm, which was full
    "out of shared memory",
    "shared memory(shm)",
    "</torch_",  # torch's files in /dev/shm
)
_OPEN_FILES = ("Too many open files", "received 0 items of ancdata")
"""Batches are handed over as files that are open."""
_LOADER = ("DataLoader worker (pid", "unable to mmap", "unable to open shared", "of ancdata")
_DEVICE_MEMORY = (
    *("out of memory", "_ALLOC_FAILED", "cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY"),
    *("Failed to CUDA calloc", "Failed to CUDA malloc"),  # NCCL
)
_UNREADY_LIBRARY = (
    *("CUDNN_STATUS_NOT_INITIALIZED", "CUBLAS_STATUS_NOT_INITIALIZED"),
    *("unable to find an engine to execute", "Unable to find a valid cuDNN algorithm"),
)
"""Said by libraries that found no memory for themselves, and by those of a broken driver."""
_CALLERS_MISTAKES = (
    "invalid argument",
    "invalid configuration argument",
    "CUDNN_STATUS_BAD_PARAM",
    "CUDNN_STATUS_NOT_SUPPORTED",
    "CUBLAS_STATUS_INVALID_VALUE",
    "CUBLAS_STATUS_NOT_SUPPORTED",
)
"""Said of calls that no GPU would take."""
_DEVICE = (
    *("CUDA error", "CUDA driver error", "CUDA initialization", "Cuda failure", "Triton Error [CUDA]"),
    *("cuDNN error", "CUDNN_STATUS_", "CUBLAS_STATUS_", "CUSOLVER_STATUS_", "CUFFT_"),
    *("NCCL error", "unhandled cuda error", "NVML_SUCCESS", "No CUDA GPUs are available"),
    "uncorrectable ECC",
)


def meaning_of(text: str, *, has_device_memory: bool = False) -> type[TrainyardError] | None:
    """The error that a text stands for: memory of either kind, a loader process, the device, or none.

    `has_device_memory` says that the device has memory left, so that a library that is not ready is broken.
    """
    if _holds(text, _LOADER + _SHARED_MEMORY):
        return LoaderDied
    if _holds(text, _HOST_MEMORY):
        return HostOutOfMemory
    if _holds(text, _DEVICE_MEMORY):
        # A thread that pins memory asks the machine for it, not the GPU.
        return HostOutOfMemory if "in pin memory thread" in text else CudaOutOfMemory
    if _holds(text, _UNREADY_LIBRARY) and not has_device_memory:
        return CudaOutOfMemory
    if _holds(text, _DEVICE) and not _holds(text, _CALLERS_MISTAKES):
        return DeviceFault
    return None


def is_shared_memory(text: str) -> bool:
    """Whether it was /dev/shm that was full."""
    return _holds(text, _SHARED_MEMORY) and not is_open_files(text)


def is_open_files(text: str) -> bool:
    """Whether a process may open no further file."""
    return _holds(text, _OPEN_FILES)


def _holds(text: str, parts: tuple[str, ...]) -> bool:
    return any(part in text for part in parts)
