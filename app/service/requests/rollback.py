"""A record is accepted whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trainyard.errors import NotFound, StoreUnavailable
from trainyard.registry.base import Registry
from trainyard.storage.json_files import is_accepted


@contextmanager
def rollback_on_error(registry: Registry[Any], record_id: str, folder: Path) -> Iterator[None]:
    """Remove the folder of a record that was not accepted, whatever ended the block.

    One that Redis took before its answer was lost has been accepted: its files stay, even if Redis has
    forgotten it since. So do those of one whose fate cannot be asked because Redis is away; sent again with
    its key, it is the same record.
    """
    accepted = False
    try:
        yield
        accepted = True
    finally:
        if not accepted and not _may_be_stored(registry, record_id):
            shutil.rmtree(folder, ignore_errors=True)


def _may_be_stored(registry: Registry[Any], record_id: str) -> bool:
    try:
        registry.get(record_id)
    except NotFound:
        return is_accepted(registry.record_file(record_id))
    except StoreUnavailable:
        return registry.record_file(record_id).exists()
    return True
