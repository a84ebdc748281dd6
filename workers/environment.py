"""What the environment of a worker may say, and what must not be heard."""

from collections.abc import MutableMapping

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


def choose_gpus(environ: MutableMapping[str, str], gpus: str) -> None:
    """Show this process, and those it starts, these GPUs alone: numbers or UUIDs, separated by commas."""
    environ["CUDA_VISIBLE_DEVICES"] = gpus
