"""What a stack on this machine runs: the processes of the Procfile, its training worker once for each GPU."""

WORKER = "worker"
"""The name of the training worker's line."""


def with_worker_per_gpu(procfile: str, gpus: list[str]) -> str:
    """The Procfile's text with a line for each of several GPUs, given as nvidia-smi counts or names them."""
    if len(gpus) < 2:
        return procfile
    lines = []
    for line in procfile.splitlines():
        name, _, command = line.partition(": ")
        own = [
            f"{worker}: {command} --gpu {gpu}" for worker, gpu in zip(worker_names(gpus), gpus, strict=True)
        ]
        lines += own if name == WORKER else [line]
    return "\n".join(lines) + "\n"


def worker_names(gpus: list[str]) -> list[str]:
    """The names of the training workers' lines."""
    return [f"{WORKER}-{place}" for place in range(len(gpus))] if len(gpus) > 1 else [WORKER]


def chosen(processes: list[str], gpus: list[str]) -> list[str]:
    """Names of processes as the Procfile has them, by those of the lines that are run."""
    return [own for name in processes for own in (worker_names(gpus) if name == WORKER else [name])]
