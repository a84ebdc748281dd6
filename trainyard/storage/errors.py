"""What an error of the operating system means for whoever uses the shared storage."""

import errno

from trainyard.errors import DiskFull, StorageUnavailable

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The volume is full, the quota is used up, or no larger file is taken."""


def storage_error(message: str, error: OSError) -> StorageUnavailable:
    """DiskFull where there is no room left, StorageUnavailable for anything else (EROFS, EIO, ESTALE ...).

    `message` says what could not be done; the system's reason is added.
    """
    kind = DiskFull if error.errno in _NO_ROOM else StorageUnavailable
    return kind(f"{message}: {error.strerror or error}.")
