"""How the process computes: allocator, threads, precision. Nothing here runs at import."""

import ctypes
import logging
import os
import warnings
from pathlib import Path
from typing import Literal

import cv2
import torch

from trainyard.errors import InvalidRequest
from workers.plugins.loading import load_plugins
from workers.process.environment import forget_cluster
from workers.training.compute.devices import PROCESSOR

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_TOP_PAD_BYTES = 64 * 2**20
_MADV_HUGEPAGE = 14
_HUGE_PAGE_BYTES = 2 * 2**20
_MAPS = Path("/proc/self/maps")
_OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")
_NEVER = "2"


def prepare_process(threads: int) -> None:
    """Set the process up for training, plug-ins included; call it before the first large tensor is made.

    Keeping freed memory in the heap saves the page faults that dominate CPU steps; a step of one thread
    per core must not share the cores with OpenCV's own threads.
    """
    forget_cluster(os.environ)
    load_plugins()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)
        libc.mallopt(_M_TOP_PAD, _TOP_PAD_BYTES)
        _use_huge_pages(libc)
    torch.set_num_threads(threads)
    cv2.setNumThreads(0)


def _use_huge_pages(libc: ctypes.CDLL) -> None:
    """Let the heap's next half of the machine's memory, as far as it comes to be used, be of huge pages.

    The heap is grown by that much and gets it back at once; nothing of it is touched. Pages stay small where
    the system refuses either, or counts what is only reserved. Measured: steps are 3 to 6 % shorter.
    """
    if not _OVERCOMMIT.exists() or _OVERCOMMIT.read_text().strip() == _NEVER:
        return
    wanted = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if (block := libc.malloc(wanted)) is not None:
        aligned = -(-block // _HUGE_PAGE_BYTES) * _HUGE_PAGE_BYTES
        libc.madvise(aligned, block + wanted - aligned, _MADV_HUGEPAGE)
        libc.free(block)


def has_jemalloc() -> bool:
    """Whether jemalloc serves this process's memory, which halves the speed of training on a CPU.

    Measured: 0.5 times the steps per second in float32, 0.65 to 0.9 times in bf16.
    """
    return _MAPS.exists() and "libjemalloc" in _MAPS.read_text()


def quiet_lightning() -> None:
    """Leave out advice that does not apply to runs of a service."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    # The exporter's own account of each step and operator: most of a run's log, and nothing about the run.
    for library in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger().addFilter(_is_no_advice)
    # The last is of averaged weights, which are never in training mode.
    unwanted = (
        "does not have many workers",
        "exists and is not empty",
        "treespec, LeafSpec",
        "in eval mode at",
        "your dataloader is not resumable",
    )
    for message in unwanted:
        warnings.filterwarnings("ignore", message=f".*{message}")


def _is_no_advice(record: logging.LogRecord) -> bool:
    """onnxruntime says under no name of its own how int8 files might be made otherwise."""
    return "pre-processing before quantization" not in record.getMessage()


def resolve_precision(asked: str, device: torch.device = PROCESSOR) -> Precision:
    """Lightning's name of the precision; `auto` is bf16-mixed where the device computes bf16 natively, else
    16-mixed on a GPU with tensor cores for float16, else 32-true.

    Raises InvalidRequest for 16-mixed without a GPU.
    """
    if asked == "auto":
        if _computes_bf16(device):
            return "bf16-mixed"
        return "16-mixed" if _has_float16_cores(device) else "32-true"
    if asked == "16-mixed" and device.type != "cuda":
        raise InvalidRequest(
            "Precision 16-mixed needs a CUDA device, and this run trains on the processor.",
            errors={"spec": {"precision": ["here one of: auto, 32, bf16-mixed"]}},
        )
    names: dict[str, Precision] = {"32": "32-true", "bf16-mixed": "bf16-mixed", "16-mixed": "16-mixed"}
    return names[asked]


def _has_float16_cores(device: torch.device) -> bool:
    """Volta and Turing have them, but for the GTX 16xx, whose float16 brings no speed."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < (7, 0):
        return False
    return "GTX 16" not in torch.cuda.get_device_name(device)


def _computes_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if not hasattr(torch.cpu, "get_capabilities"):  # the PyTorch for older drivers may not have it
        return False
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
