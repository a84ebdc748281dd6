"""Public names for files that lie elsewhere in a run's folder."""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path


def place_file(source: Path, target: Path) -> bool:
    """Let the target be a second name for the source's bytes; whether it was not so before.

    It changes at once or not at all. Raises OSError.
    """
    if _is_same(source, target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.hardlink_to(source)
    except OSError:
        shutil.copy2(source, temporary)  # the volume knows no hard links
    temporary.replace(target)
    # renaming one link over another of the same file leaves both
    with suppress(FileNotFoundError):
        temporary.unlink()
    return True


def _is_same(source: Path, target: Path) -> bool:
    """Whether the target is a link to the source, or a copy of it."""
    if not target.exists():
        return False
    one, other = source.stat(), target.stat()
    return os.path.samestat(one, other) or (
        (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)
    )
