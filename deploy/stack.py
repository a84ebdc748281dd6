"""`python -m deploy.stack [NAME ...]`: the processes of the Procfile, until Ctrl-C or SIGTERM.

Where there are several GPUs, a training worker runs for each. Without `redis` among the names they join the
stack that is there: `python -m deploy.stack worker`.
"""

import os
import sys
from collections.abc import Callable

from honcho.environ import parse_procfile

from deploy.processes.environment import (
    FLOWER_USER,
    flower_login,
    flower_password_file,
    has_own_redis,
    joined_environment,
    redis_password_file,
    stack_environment,
)
from deploy.processes.ports import (
    FLOWER_VARIABLE,
    REDIS_VARIABLE,
    flower_port,
    redis_port,
    refuse_equal,
    refuse_taken,
)
from deploy.processes.procfile import chosen, with_worker_per_gpu
from deploy.processes.supervision import keep_running
from deploy.redis import folder_for, lock
from trainyard.errors import SettingsError
from trainyard.settings import REPOSITORY, Settings
from workers.devices.device_class import gpus_to_use
from workers.devices.gpu_check import needs_gpu

LOOPBACK = "127.0.0.1"


def stack_gpus(settings: Settings) -> list[str]:
    """The GPUs to train on, by number or UUID; none where no class of this machine's workers needs one."""
    if not any(map(needs_gpu, settings.device_classes)):
        return []
    return gpus_to_use(os.environ.get("CUDA_VISIBLE_DEVICES"))


def main() -> None:
    """The processes that the arguments name."""
    run(sys.argv[1:])


def run(names: list[str], wrapped: Callable[[str, str], str] = lambda name, command: command) -> None:
    """Check what can be checked, say where everything is, and keep it running.

    `wrapped` gives the command that is run in place of a process's own, by its name and that.
    """
    try:
        settings = Settings.from_environment()
        settings.check_exposure()
        gpus = stack_gpus(settings)
        commands = _commands(names, gpus)
        brings_redis = "redis" in commands and has_own_redis(settings)
        if brings_redis:
            os.close(lock(folder_for(settings.storage)))  # only a look: the server takes it for itself
        _refuse_taken_ports(settings, commands, brings_redis)
        environment = stack_environment(settings) if brings_redis else joined_environment(settings)
    except SettingsError as error:
        sys.exit(f"{error.message} {error.remedy}".strip())
    _say_where(settings, commands, brings_redis)
    os.chdir(REPOSITORY)
    os.environ.update(environment)
    if not settings.threads_are_given:
        os.environ["TRAINYARD_THREADS"] = str(max(1, settings.threads // max(1, len(gpus))))
    if "flower" in commands:
        os.environ["FLOWER_BASIC_AUTH"] = os.environ.get("FLOWER_BASIC_AUTH") or flower_login(settings)
    keep_running({name: wrapped(name, command) for name, command in commands.items()})


def _commands(names: list[str], gpus: list[str]) -> dict[str, str]:
    """The Procfile's commands of these names, all of them where none is given. Raises SettingsError."""
    procfile = with_worker_per_gpu((REPOSITORY / "Procfile").read_text(), gpus)
    commands: dict[str, str] = dict(parse_procfile(procfile).processes)
    names = chosen(names, gpus)
    if unknown := set(names) - set(commands):
        raise SettingsError(
            f"The Procfile has no process {', '.join(sorted(unknown))}.",
            remedy=f"Its processes are {', '.join(commands)}.",
        )
    return {name: command for name, command in commands.items() if not names or name in names}


def _refuse_taken_ports(settings: Settings, commands: dict[str, str], brings_redis: bool) -> None:
    stated = {}
    if "web" in commands:
        stated["TRAINYARD_PORT"] = (settings.host, settings.port, "the API")
    if "flower" in commands:
        stated[FLOWER_VARIABLE] = (LOOPBACK, flower_port(settings), "Flower")
    if brings_redis:
        stated[REDIS_VARIABLE] = (LOOPBACK, redis_port(settings), "Redis")
    refuse_equal({variable: port for variable, (_, port, _) in stated.items()})
    for variable, (host, port, what) in stated.items():
        refuse_taken(host, port, what, variable)


def _say_where(settings: Settings, commands: dict[str, str], brings_redis: bool) -> None:
    if "web" in commands:
        print(f"API and docs: http://{settings.host}:{settings.port}/docs")
    if "flower" in commands:
        own = f"user {FLOWER_USER}, password in {flower_password_file(settings)}"
        login = "login of FLOWER_BASIC_AUTH" if os.environ.get("FLOWER_BASIC_AUTH") else own
        print(f"Flower: http://{LOOPBACK}:{flower_port(settings)} ({login})")
    if brings_redis:
        print(f"Redis: {LOOPBACK}:{redis_port(settings)} (password in {redis_password_file(settings)})")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
