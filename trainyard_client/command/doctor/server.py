"""Is the server fit, and are its workers?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from trainyard_client.command.doctor.findings import Finding
from trainyard_client.command.terminal.session import Session
from trainyard_client.errors import ServerFailed, TrainyardError

CLOCK_S = 5.0
"""Difference of clocks that is worth a word: leases are kept by Redis, but times in logs would mislead."""


def server(session: Session) -> Iterator[Finding]:
    """The findings; where it gives no answer, that alone."""
    url = f"{session.connection.url.value} ({session.connection.url.source})"
    try:
        response = session.client.transport.request("GET", "/healthz")
    except TrainyardError as error:
        yield Finding(check="server", is_well=False, found=f"{url}: {error.message}", remedy=error.remedy)
        return
    yield Finding(check="server", is_well=True, found=url)
    yield from _clock(response.headers.get("Date"))
    try:
        session.client.ready()
        yield Finding(check="readiness", is_well=True, found="Redis and storage can be used")
        yield from _workers(session)
    except ServerFailed as error:
        yield Finding(check="readiness", is_well=False, found=error.message, remedy=error.remedy)
    except TrainyardError as error:
        remedy = error.remedy or "Sign in: trainyard login"
        yield Finding(check="access", is_well=False, found=error.message, remedy=remedy)


def _clock(date: str | None) -> Iterator[Finding]:
    if not date:
        return
    apart = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    yield Finding(
        check="clock",
        is_well=apart <= CLOCK_S,
        found=f"{apart:.0f} s from the server's",
        remedy="Let both machines keep their time by NTP.",
    )


def _workers(session: Session) -> Iterator[Finding]:
    workers, queues = session.client.workers.list(), session.client.queues.list()
    stalled = [one.id for one in workers if one.is_stalled]
    devices = ", ".join(sorted({one.device for one in workers if one.device and "ingest" not in one.queues}))
    yield Finding(
        check="workers",
        is_well=bool(workers) and not stalled,
        found=(f"{len(workers)} ({devices})" if workers else "none is there")
        + (f"; stalled: {', '.join(stalled)}" if stalled else ""),
        remedy="Start one (`make worker`), and look at the machines of stalled ones.",
    )
    for queue in queues:
        if queue.waiting and not queue.workers:
            yield Finding(
                check=f"queue {queue.name}",
                is_well=False,
                found=f"{queue.waiting} wait, and no worker serves it",
                remedy=f"Start a worker for it: python -m workers train {queue.name}",
            )
