"""What the environment of a worker may say, and what must not be heard."""

import os
import stat
import tempfile
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path

_OF_CLUSTERS = (
    "SLURM_",  # Slurm
    *("OMPI_", "PMI_", "PMIX_", "MPI_"),  # mpirun
    *("LSB_", "JSM_"),  # LSF
    *("TORCHELASTIC_", "TORCHRUN_", "PET_"),  # torchrun
    "PL_TRAINER_",  # defaults of Lightning's trainer
)
_OF_RANKS = frozenset(
    {
        *("RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "NODE_RANK"),
        *("WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE", "ROLE_WORLD_SIZE", "ROLE_NAME"),
        *("MASTER_ADDR", "MASTER_PORT", "PL_GLOBAL_SEED", "PL_SEED_WORKERS"),
    }
)

_CACHES = {
    "XDG_CACHE_HOME": "",
    "HF_HOME": "huggingface",
    "TORCH_HOME": "torch",
    "TRITON_CACHE_DIR": "triton",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "MPLCONFIGDIR": "matplotlib",
}
"""Variables that name a cache, and the folder for each."""
_PRIVATE = 0o700

_ALLOCATORS = frozenset({"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"})
_SPINS = "10000"
"""Turns in which a thread of GNU's OpenMP waits before it sleeps; figures in docs/benchmarks.md."""


def forget_cluster(environ: MutableMapping[str, str]) -> None:
    """Remove what schedulers and launchers tell a process about its place among others.

    A run's place is decided here alone. PyTorch and Lightning look at these variables themselves: a worker
    that srun or torchrun started as the third of four would train without writing logs or figures.
    """
    for name in [name for name in environ if name in _OF_RANKS or name.startswith(_OF_CLUSTERS)]:
        del environ[name]


def hide_gpus(environ: MutableMapping[str, str]) -> None:
    """Keep this process, and those it starts, from all GPUs; CUDA must not have been used yet."""
    environ["CUDA_VISIBLE_DEVICES"] = ""


def name_gpus_by_bus(environ: MutableMapping[str, str]) -> None:
    """Have CUDA count GPUs as nvidia-smi does, by their place on the bus and not by their speed."""
    environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"


def grow_memory_in_place(environ: MutableMapping[str, str]) -> None:
    """Have PyTorch enlarge what it has of a GPU's memory, where blocks of other sizes would be added: images
    of several sizes, and batches that are tried, leave less that is of no use. What is set already stays.
    PyTorch reads this when CUDA is first used."""
    if not _ALLOCATORS & environ.keys():
        environ["PYTORCH_ALLOC_CONF"] = "expandable_segments:True"


def wait_briefly(environ: MutableMapping[str, str]) -> None:
    """Have threads of a computation give their core away soon while they wait for each other.

    OpenMP's wait in a loop, for milliseconds as it comes: beside other load each then keeps the core that
    the thread it waits for needs, and training takes many times as long. What is set already stays. Libraries
    read this when imported.
    """
    if "OMP_WAIT_POLICY" not in environ:
        environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def choose_gpus(environ: MutableMapping[str, str], gpus: str) -> None:
    """Show this process, and those it starts, these GPUs alone: numbers or UUIDs, separated by commas."""
    environ["CUDA_VISIBLE_DEVICES"] = gpus


def keep_gpus(environ: MutableMapping[str, str], places: Sequence[int]) -> None:
    """Show this process, and those it starts, only these of the GPUs that it was shown, by their places from
    0; all of them where none is named. CUDA must not have been used yet."""
    if not places:
        return
    shown = [one for one in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one]
    kept = [shown[place] if place < len(shown) else str(place) for place in places]
    environ["CUDA_VISIBLE_DEVICES"] = ",".join(kept)


def give_caches_a_home(environ: MutableMapping[str, str]) -> None:
    """Send what libraries compile or fetch elsewhere where the user has no home to write to.

    Images often run as a user without one. What is set already stays. Libraries read this when imported.
    """
    if _can_write(Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "/", ".cache"))):
        return
    home = _own_folder(Path(tempfile.gettempdir(), f"trainyard-cache-{os.getuid()}"))
    for name, folder in _CACHES.items():
        environ.setdefault(name, str(home / folder))


def _own_folder(folder: Path) -> Path:
    """The folder, made for this user alone; another where somebody else has it, whose code would be run."""
    with suppress(OSError):
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        found = folder.lstat()
        if found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == _PRIVATE and folder.is_dir():
            return folder
    return Path(tempfile.mkdtemp(prefix="trainyard-cache-"))


def _can_write(folder: Path) -> bool:
    """Whether files can be made there; makes the folder where that can be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
