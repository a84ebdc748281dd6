"""`python -m tests.chaos`: break a whole service at random for a while, and see whether a run is harmed.

Exit status 0: no run was lost, trained twice at once or came to other metrics than undisturbed, and recovery
was quick enough. 1: something was not so. Nothing stays behind, also when interrupted, but the folder that
--keep names.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.chaos import disk, network, report
from tests.chaos.campaign import CampaignPlan, run_campaign
from tests.chaos.cluster import Cluster, ClusterPlan
from tests.chaos.judge import Verdict, judge

SHARES = {
    "child": 8,
    "finisher": 3,
    "supervisor": 4,
    "worker": 4,
    "drain": 4,
    "freeze-supervisor": 2,
    "freeze-worker": 2,
    "redis-always": 1,
    "redis-everysec": 1,
    "redis-long": 1,
    "redis-full": 1,
    "redis-read-only": 1,
    "redis-emptied": 1,
    "drain-without-redis": 1,
    "slow-clients": 1,
    "pubsub": 1,
    "api": 1,
    "disk": 1,
    "cut": 2,
}
"""How often each action comes in a round."""
RIGHTS = {"disk": disk.missing, "cut": network.missing}
"""Those that need special rights, with what says why these are missing."""


def main(arguments: list[str]) -> int:
    """Run, print the report; returns the exit status."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    deck, lacks = _deck(asked.kinds)
    for lack in lacks:
        print(f"left out: {lack}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        verdict = _verdict(asked, asked.keep or Path(temporary) / "cluster", deck)
    for line in report.lines(verdict):
        print(line)
    return 1 if verdict.faults or verdict.delays else 0


def _verdict(asked: argparse.Namespace, folder: Path, deck: list[str]) -> Verdict:
    yard_plan = ClusterPlan(
        folder=folder,
        workers=asked.workers,
        lease_s=asked.lease,
        step_s=0.06,
        second_host="cut" in deck,
        stored=asked.stored,
    )
    plan = CampaignPlan(
        seed=asked.seed,
        seconds=60 * asked.minutes,
        gap_s=(3.0, 9.0),
        patience_s=60 + 6 * asked.lease,
        seeds=3,
        epochs=20,
    )
    with Cluster(yard_plan) as cluster:
        return judge(run_campaign(cluster, plan, _rounds(deck, Random(asked.seed))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long actions are begun (default 30)")
    parser.add_argument("--seed", type=int, default=0, help="of the actions' order, victims and lengths")
    parser.add_argument(
        "--workers", type=int, default=3, help="training workers, besides one that is cut off"
    )
    parser.add_argument("--lease", type=int, default=10, help="TRAINYARD_LEASE_S of the cluster, in s")
    parser.add_argument(
        "--kinds", nargs="+", choices=SHARES, default=list(SHARES), help="what is done (default: all)"
    )
    parser.add_argument(
        "--stored", type=int, default=20_000, help="runs that lie in storage from the first (default 20,000)"
    )
    parser.add_argument("--keep", type=Path, help="a new folder for logs, steps and storage, which stays")
    return parser


def _deck(kinds: list[str]) -> tuple[list[str], list[str]]:
    """One round of actions, and why some are left out."""
    reasons = {kind: reason for kind in kinds if kind in RIGHTS and (reason := RIGHTS[kind]())}
    deck = [kind for kind in kinds if kind not in reasons for _ in range(SHARES[kind])]
    return deck, [f"{kind}, since {reason}" for kind, reason in reasons.items()]


def _rounds(deck: list[str], chance: Random) -> Iterator[str]:
    while True:
        yield from chance.sample(deck, len(deck))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
