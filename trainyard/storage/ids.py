"""Ids of records: random, never of a user's words, and what has not their form is none."""

import re
import secrets

from trainyard.errors import NotFound

_ID = re.compile(r"(ds|run|model|pred|draft|exp|hook|up|board)-[0-9a-f]{12}\Z")


def new_dataset_id() -> str:
    """A fresh random id, `ds-` and 12 hex digits."""
    return f"ds-{secrets.token_hex(6)}"


def new_run_id() -> str:
    """A fresh random id, `run-` and 12 hex digits."""
    return f"run-{secrets.token_hex(6)}"


def new_prediction_id() -> str:
    """A fresh random id, `pred-` and 12 hex digits."""
    return f"pred-{secrets.token_hex(6)}"


def new_draft_id() -> str:
    """A fresh random id, `draft-` and 12 hex digits."""
    return f"draft-{secrets.token_hex(6)}"


def new_webhook_id() -> str:
    """A fresh random id, `hook-` and 12 hex digits."""
    return f"hook-{secrets.token_hex(6)}"


def new_upload_id() -> str:
    """A fresh random id, `up-` and 12 hex digits."""
    return f"up-{secrets.token_hex(6)}"


def new_board_id() -> str:
    """A fresh random id, `board-` and 12 hex digits."""
    return f"board-{secrets.token_hex(6)}"


def check_id(text: str) -> str:
    """The id itself; raises NotFound for anything that Trainyard never generates."""
    if not is_id(text):
        raise NotFound(f"There is nothing with the id {text[:40]!r}.")
    return text


def is_id(text: str) -> bool:
    """Whether it has the form of an id that is generated here."""
    return _ID.match(text) is not None
