"""`python -m deploy.flower`: Flower for this stack, on the port after the API's."""

import os
import sys
from typing import Any

import flower.command
from flower.app import Flower
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.web import ErrorHandler

from deploy.processes.ports import flower_port
from trainyard.errors import SettingsError
from trainyard.same_origin import is_foreign, is_loopback, is_own_host
from trainyard.scheduling.wake_ups import make_celery
from trainyard.settings import Settings

PASSWORD = "FLOWER_BASIC_AUTH"  # noqa: S105 - the name of the variable

COLUMNS = "name,uuid,state,kwargs,result,exception,received,runtime,worker"
"""Of the list of tasks, each an attempt: `kwargs` names run, project and run name."""


class GuardedFlower(Flower):  # type: ignore[misc]
    """Flower without a password: closed to the web pages of others, as the API is."""

    allowed_hosts: tuple[str, ...] = ()

    def find_handler(self, request: HTTPServerRequest, **options: Any) -> HTTPMessageDelegate:
        """Answer 403 where a page of another origin asks, or one whose name was pointed at this machine."""
        delegate: HTTPMessageDelegate
        is_own = is_own_host(request.headers.get("Host"), self.allowed_hosts)
        if is_own and not is_foreign(request.method or "", request.headers):
            delegate = super().find_handler(request, **options)
        else:
            delegate = self.get_handler_delegate(request, ErrorHandler, {"status_code": 403})
        return delegate


def main() -> None:
    """Run Flower until it is told to stop; beyond this machine only with a password."""
    try:
        settings = Settings.from_environment()
        port = flower_port(settings)
    except SettingsError as error:
        sys.exit(f"{error.message} {error.remedy}")
    host = os.environ.get("TRAINYARD_FLOWER_HOST", "127.0.0.1")
    if not os.environ.get(PASSWORD):
        if not is_loopback(host):
            sys.exit(f"TRAINYARD_FLOWER_HOST is open to other machines: set {PASSWORD} to user:password.")
        GuardedFlower.allowed_hosts = settings.allowed_hosts
        flower.command.Flower = GuardedFlower  # the command has no option for it
    command = ["flower", f"--address={host}", f"--port={port}", f"--tasks-columns={COLUMNS}"]
    make_celery(settings.broker_url).start(command)


if __name__ == "__main__":
    main()
