"""How much room folders take."""

import os
import stat
from contextlib import suppress
from pathlib import Path


def folder_bytes(folder: Path) -> int:
    """Bytes of the files below a folder; one that has several names, as checkpoints do, counts once.

    0 where there is no such folder; what is removed meanwhile counts or not.
    """
    seen: set[tuple[int, int]] = set()
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                state = Path(parent, name).lstat()
                identity = (state.st_dev, state.st_ino)
                if stat.S_ISREG(state.st_mode) and identity not in seen:
                    seen.add(identity)
                    total += state.st_size
    return total
