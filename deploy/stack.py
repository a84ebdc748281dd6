"""`python -m deploy.stack`: the processes of the Procfile on this machine, until Ctrl-C.

Where there are several GPUs, a training worker is started for each.
"""

import os
import sys
from pathlib import Path

from deploy.procfile import as_file, chosen, with_worker_per_gpu
from deploy.redis import PORT_VARIABLE, folder_for, free_port, lock
from trainyard.errors import SettingsError
from trainyard.settings import REPOSITORY, Settings
from workers.device import gpus_to_use
from workers.gpu_check import needs_gpu


def stack_environment() -> dict[str, str]:
    """This environment, with a Redis of the stack's own where none is named. Raises SettingsError."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    settings = Settings.from_environment()
    if not settings.redis_url:
        os.close(lock(folder_for(settings.storage)))  # only a look: the server takes it for itself
        port = free_port()
        environment[PORT_VARIABLE] = str(port)
        environment["TRAINYARD_REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
    return environment


def stack_gpus(settings: Settings) -> list[str]:
    """The GPUs to train on, by number or UUID; none where no class of this machine's workers needs one."""
    if not any(map(needs_gpu, settings.device_classes)):
        return []
    return gpus_to_use(os.environ.get("CUDA_VISIBLE_DEVICES"))


def main() -> None:
    """Become honcho."""
    try:
        settings = Settings.from_environment()
        settings.check_exposure()
        environment = stack_environment()
    except SettingsError as error:
        sys.exit(f"{error.message} {error.remedy}")
    print(f"API and docs: http://{settings.host}:{settings.port}/docs", flush=True)
    honcho = str(Path(sys.executable).with_name("honcho"))
    gpus = stack_gpus(settings)
    procfile = as_file(with_worker_per_gpu((REPOSITORY / "Procfile").read_text(), gpus))
    if not settings.threads_are_given:
        environment["TRAINYARD_THREADS"] = str(max(1, settings.threads // max(1, len(gpus))))
    arguments = [honcho, "-d", str(REPOSITORY), "-f", procfile, "start", *chosen(sys.argv[1:], gpus)]
    os.execve(honcho, arguments, environment)  # noqa: S606


if __name__ == "__main__":
    main()
