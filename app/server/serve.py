"""Serve the API with gunicorn: one process, many threads, since most of them wait for clients or storage.

Threads cost little, and one that waits for a slow disk holds up no other; in an event loop (gunicorn's
gevent worker) it holds up every client. Who is slow or idle gets no thread: see `PatientWorker`.
"""

import resource
import sys
import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from app import create_app
from app.composition import EXTENSION
from app.http.streams.feed_sockets import MAX_FOLLOWERS
from app.http.streams.handed_over import HANDED_OVER
from app.server.logs import ACCESS_FORMAT, JsonLogger, QuerylessLogger
from app.server.waits import RECEIVING, SENDING
from app.server.worker import PatientWorker
from trainyard.log_format import JSON, log_in_utc
from trainyard.settings import Settings
from trainyard.tracing import start_tracing, stop_tracing

THREADS = RECEIVING + SENDING + 64
"""Threads that wait for clients are bounded in number; the rest answer everything else."""
CONNECTIONS = 2000
"""Clients that may be connected at a time, with or without a request."""
FILES = 500 + MAX_FOLLOWERS
"""Open files that are none of these clients': the program's, storage's, Redis's, and those of followers."""
IDLE_S = 75
"""How long a connection without a request is kept: longer than proxies keep theirs (nginx 60 s), which answer
502 where one ends as they send the next request by it."""
SWITCH_S = 0.0002
"""How long a thread may compute while others want to: Python's 5 ms are waited for often in each request."""
GRACE_S = 3
"""What requests under way have after SIGTERM; event streams end within a second."""
TIMEOUT_S = 120
"""A process that gives no sign of life for so long is replaced; no limit on one upload or stream."""
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn around one application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.path_prefix = settings.path_prefix
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        for name, value in options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in the process that serves it."""
        start_tracing(self._settings.otlp_endpoint, "trainyard-api")
        return create_app(self._settings)


def options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return {
        "bind": f"{host}:{settings.port}",
        "worker_class": PatientWorker,
        "workers": 1,
        "threads": THREADS,
        "worker_connections": connections(),
        "logger_class": JsonLogger if settings.log_format == JSON else QuerylessLogger,
        "accesslog": "-",
        "access_log_format": ACCESS_FORMAT,
        "keepalive": IDLE_S,
        "timeout": TIMEOUT_S,
        "graceful_timeout": GRACE_S,
        "control_socket_disable": True,
        "post_worker_init": begin,
        "worker_exit": end,
        "post_request": log_handed_over,
    }


def connections() -> int:
    """CONNECTIONS, or fewer where this process may not open as many files."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if most == resource.RLIM_INFINITY else max(1, min(CONNECTIONS, most - FILES))


def begin(worker: Worker) -> None:
    """Start what runs beside requests, and let the streams know when the worker begins to stop."""
    sys.setswitchinterval(SWITCH_S)
    services = worker.wsgi.extensions[EXTENSION]
    services.shutdown.when(lambda: not worker.alive)
    services.housekeeper.start(threading.Event())
    services.webhook_sender.start(threading.Event())


def log_handed_over(worker: Worker, request: Any, environ: dict[str, Any], _: Any) -> None:
    """The line in the access log of a request whose connection was handed on, which goes on by itself."""
    if answer := environ.get(HANDED_OVER):
        shown = SimpleNamespace(status=answer.status, sent=None, headers=answer.headers)
        worker.log.access(shown, request, environ, timedelta())


def end(_: Arbiter, worker: Worker) -> None:
    """Let followers know that the worker stops, and send what is left of its spans."""
    worker.wsgi.extensions[EXTENSION].feed_sockets.close()
    stop_tracing()


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises SettingsError for an address that needs keys."""
    settings.check_exposure()
    log_in_utc(LOG_FORMAT, kind=settings.log_format)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # most systems begin with 1024
    Server(settings).run()
