"""Serve the API with gunicorn: one process, many threads, since most of them wait on event streams."""

import threading
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.base import Worker

from app import create_app
from app.composition import EXTENSION
from app.service.run_events import MAX_STREAMS
from trainyard.log_format import log_in_utc
from trainyard.settings import Settings

THREADS = MAX_STREAMS + 16
"""Streams hold a thread each; the rest answer everything else."""
GRACE_S = 3
"""What requests under way have after SIGTERM; event streams end within a second."""
TIMEOUT_S = 120
"""A process that gives no sign of life for so long is replaced; no limit on one upload or stream."""
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn around one application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        for name, value in options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in the process that serves it."""
        return create_app(self._settings)


def options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return {
        "bind": f"{host}:{settings.port}",
        "worker_class": "gthread",
        "workers": 1,
        "threads": THREADS,
        "timeout": TIMEOUT_S,
        "graceful_timeout": GRACE_S,
        "control_socket_disable": True,
        "post_worker_init": begin,
    }


def begin(worker: Worker) -> None:
    """Start what runs beside requests, and let the streams know when the worker begins to stop."""
    services = worker.wsgi.extensions[EXTENSION]
    services.run_events.end_when(lambda: not worker.alive)
    services.caretaker.start(threading.Event())


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises SettingsError for an address that needs keys."""
    settings.check_exposure()
    log_in_utc(LOG_FORMAT)
    Server(settings).run()
