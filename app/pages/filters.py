"""How numbers and times are written on pages; `page.js` and `progress.js` write what changes the same way."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from app.schemas.fields import iso

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS = ("B", "kB", "MB", "GB", "TB")


def figure(value: Any) -> str:
    """A metric with four digits, such as 0.8231 or 1.2e-05; a dash where there is none."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 1000 else f"{value:.3g}"


def duration(seconds: float | None) -> str:
    """Seconds as 42 s, 3 min 20 s, 2 h 05 min or 3 d 4 h; a dash where they are not known."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def size(n_bytes: float | None) -> str:
    """Bytes as 3.1 MB; powers of a thousand, as disks are sold."""
    if n_bytes is None:
        return "–"
    power = min(len(_UNITS) - 1, int(math.log10(max(1, n_bytes)) // 3))
    return f"{n_bytes / 1000**power:.{1 if power else 0}f} {_UNITS[power]}"


def percent(fraction: float) -> str:
    """A fraction as 12.3 %, small ones as they are."""
    return f"{fraction * 100:.1f} %" if fraction == 0 or fraction >= 0.001 else "< 0.1 %"


def instant(seconds: float) -> str:
    """A time as 2026-01-31 12:00 UTC, for whoever runs no scripts."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


ALL: Mapping[str, Callable[..., str]] = {
    "figure": figure,
    "duration": duration,
    "size": size,
    "percent": percent,
    "instant": instant,
    "iso": iso,
}
"""By their names in templates."""
