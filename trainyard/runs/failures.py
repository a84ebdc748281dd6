"""How a run can fail, what its record then says, and whether another attempt can end differently.

What another try may help goes back to the queue, until `LeaseRules.max_crashes` attempts have ended so;
anything else ends the run at once. `docs/failures.md` tells users of each code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainyard.storage.log_tail import failure_lines

ANOTHER_TRY_HELPS: dict[str, bool] = {
    # the user's to change
    "invalid_request": False,
    "invalid_model": False,
    "bad_dataset": False,
    "weights_unavailable": False,
    "nan_loss": False,  # the same seed and data lead there again
    "mask_id_out_of_range": False,
    "dataset_changed": False,
    "cuda_out_of_memory": False,  # batches were halved as far as they go
    "time_limit": False,
    "revoked": False,
    # the operator's
    "disk_full": False,  # whoever makes room knows when it is worth another try
    "storage_unavailable": True,  # a mount comes back, and other workers have their own
    "newer_format": False,
    "unreadable": False,  # the same record reads the same
    "export_mismatch": False,  # the same weights make the same file
    "checkpoints_lost": False,  # it has to train again, which takes hours: the user decides
    "engine_error": False,  # the same code on the same data raises it again
    "plugin_missing": True,  # another worker has the plug-in
    "device_fault": True,  # another worker's device may be sound, and so may this one after a reset
    "host_out_of_memory": True,  # a neighbour may have taken the memory
    "loader_died": True,  # somebody may have killed it, or a neighbour taken the shared memory
    "segfault": True,  # may be this machine's memory or driver
    "child_died": True,  # somebody killed it
    "worker_lost": True,
    "store_unavailable": True,  # Redis went away before the first batch
}
"""By the code of each error that can end an attempt at a run."""


def another_try_helps(code: str) -> bool:
    """Whether an attempt that ended with that code is worth repeating."""
    return ANOTHER_TRY_HELPS.get(code, False)


def failure(
    error: Mapping[str, Any],
    attempt: int,
    log: Path,
    process_bytes: int | None = None,
    device_bytes: int | None = None,
) -> dict[str, Any]:
    """An error (`TrainyardError.to_dict`) as a run's record shows it.

    `attempt` is the fence of the attempt that ended so, `log` the file whose last lines are taken along. The
    bytes are the peak of memory, of the training process and of its device; None where they are not known.
    """
    return {
        **error,
        "attempt": attempt,
        "log_tail": failure_lines(log),
        "peak_memory": {"process_bytes": process_bytes, "device_bytes": device_bytes},
    }
