"""The most memory that a process has had."""

from pathlib import Path

KIBIBYTE = 1024


def peak_memory(pid: int) -> int | None:
    """The process's peak resident memory, bytes; None once it has ended.

    VmHWM is the process's own; getrusage's ru_maxrss is inherited from whoever started it.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(sizes[0]) * KIBIBYTE if sizes else None
