"""A claim is a lease: whoever gives no sign of life for its length loses the work to another worker.

The holder renews it with every report. It stops computing `margin_s` before the lease can lapse, by its own
clock, so that no two attempts ever compute at once, however long it was cut off.
"""

import time
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LeaseRules:
    """Times in seconds. `max_crashes`: with this many attempts lost or crashed, a record fails for good."""

    lease_s: float = 60.0
    max_crashes: int = 3

    @property
    def margin_s(self) -> float:
        """How long before the lease lapses its holder stops computing."""
        return 0.3 * self.lease_s

    @property
    def reap_every_s(self) -> float:
        """How often each process looks for lapsed leases."""
        return self.lease_s / 6

    @property
    def grace_s(self) -> float:
        """How long after its start a Redis that may have forgotten claims gives out no work."""
        return self.lease_s


class Ownership:
    """An attempt's right to compute, by the monotonic clock of this machine, which its child shares."""

    def __init__(self, rules: LeaseRules, asked_at: float) -> None:
        """`asked_at`: the clock before the claim was asked for."""
        self._rules = rules
        self.renew(asked_at)

    def renew(self, asked_at: float) -> None:
        """A renewal asked for at that time was granted."""
        self.until = asked_at + self._rules.lease_s - self._rules.margin_s

    @property
    def has_lapsed(self) -> bool:
        """Whether computing must stop until a renewal is granted."""
        return time.monotonic() > self.until
