"""What a check has found."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check: what was looked at, whether it is well, what was found, and the remedy."""

    check: str
    is_well: bool
    found: str
    remedy: str = ""
