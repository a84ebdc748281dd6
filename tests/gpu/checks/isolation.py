"""Checks 1 and 2: who touches the GPU, and who does not."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path

import torch

from tests.gpu.check import Finding, Setting, equal, holds, none_of, not_shown
from tests.gpu.driver import ask, descendants, users, uses_gpu
from tests.gpu.sets import prepared_set
from tests.unit.gpu_stubs import LOG_VARIABLE, build_old_driver
from trainyard.settings import REPOSITORY
from workers.devices.cuda import cuda_facts, exercise
from workers.process.child import TRAINING_CHILD, Child, Link, Message, await_server, start_server

CHILD_S = 120.0
START_S = 180.0
LOOK_S = 0.25
_ALONE = "import sys; from tests.gpu.checks.isolation import fork_and_print; fork_and_print()"
_PROBE = (
    "import json; from workers.process.child import start_server; "
    "start_server(['workers.devices.gpu_probe_child']); "
    "from workers.devices.gpu_check import GpuCheck; "
    "print(json.dumps([[gpu.name, gpu.memory_bytes] for gpu in GpuCheck(('gpu',)).gpus()]))"
)


def work(link: Link, job: Message) -> None:
    """A child that asks the driver for GPUs, a stub of it where there is none, and has the first compute."""
    if cuda_facts().gpus:
        exercise(0)
    link.send({"pid": os.getpid(), "used": torch.cuda.is_initialized()})
    time.sleep(1)  # long enough to be seen


def fork_safety(setting: Setting) -> Iterator[Finding]:
    """The worker and its server of children never make CUDA ready; children in turn do."""
    if not setting.on_gpu:
        yield from _with_stub(setting)
        return
    children, server, _ = fork_two()
    yield none_of("both children compute on the GPU", [str(pid) for pid, used in children if not used])
    yield none_of("worker and server of children stay off it", server)
    yield none_of("a child's GPU is given back", [str(pid) for pid, _ in children if pid in users()])


def fork_two() -> tuple[list[tuple[int, bool]], list[str], int]:
    """Two children in turn: each one's number and whether it used CUDA; who else was found on the GPU; and
    the server's number."""
    start_server([TRAINING_CHILD])
    await_server()
    server = int(forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]
    found: set[str] = set()
    children = []
    for _ in range(2):
        child = Child(__name__, {}, time.monotonic() + CHILD_S)
        answer: Message = {}
        while child.is_open:
            for message in child.messages(LOOK_S):
                answer = message
            own = {"worker": os.getpid(), "server": server}
            found |= {name for name, pid in own.items() if uses_gpu(pid)}
        child.wait(CHILD_S)
        children.append((answer.get("pid", -1), bool(answer.get("used"))))
    return children, sorted(found), server


def fork_and_print() -> None:
    """What a process of its own does for the form with a stub of the driver."""
    children, _, server = fork_two()
    print(json.dumps({"children": [pid for pid, _ in children], "server": server, "worker": os.getpid()}))


def _with_stub(setting: Setting) -> Iterator[Finding]:
    """A stub of the driver writes down who asks it anything."""
    if shutil.which("cc") is None:
        yield not_shown("who makes the driver ready", "a stub of the driver takes a C compiler")
        return
    build_old_driver(setting.folder)
    log = setting.folder / "made-ready"
    said = _python(_ALONE, LD_LIBRARY_PATH=str(setting.folder), **{LOG_VARIABLE: str(log)})
    seen = json.loads(said.stdout.splitlines()[-1])
    ready = {int(line) for line in log.read_text().split()} if log.exists() else set()
    yield none_of("both children reach the driver", [str(p) for p in seen["children"] if p not in ready])
    others = {name: seen[name] for name in ("worker", "server")}
    yield none_of("worker and server of children stay off it", [n for n, p in others.items() if p in ready])
    yield not_shown("computing on the GPU in turn", "needs a GPU")


def device_classes(setting: Setting) -> Iterator[Finding]:
    """A GPU worker without a usable GPU refuses, a CPU run stays off the GPU, names are those of the tool."""
    hidden = _worker("gpu", CUDA_VISIBLE_DEVICES="")
    yield equal("a GPU worker whose GPUs are hidden refuses to start", hidden.returncode, 1)
    if shutil.which("cc"):
        build_old_driver(setting.folder)
        environment = {"LD_LIBRARY_PATH": str(setting.folder)}
        environment |= {"CUDA_VISIBLE_DEVICES": "0"}
        old = _worker("gpu", **environment)
        named = "CUDA 12.4" in old.stderr and "needs driver" in old.stderr
        yield holds("an old driver is refused by its version and the one it takes", named, _last(old.stderr))
    else:
        yield not_shown("an old driver is refused", "a stub of the driver takes a C compiler")
    yield none_of("a run of the class cpu stays off the GPU", list(_cpu_run_on_gpu(setting)))
    if setting.on_gpu:
        yield from _names()
    else:
        yield not_shown("GPUs by number and UUID", "needs a GPU")
    if len(ask("index")) < 2:
        yield not_shown("two numbers at once", "needs two GPUs")


def _cpu_run_on_gpu(setting: Setting) -> Iterator[str]:
    """Train with `--device cpu`, and look at every process of it."""
    prepared = prepared_set(setting.folder / "set", 8, 4, 64, seed=setting.seed)
    spec = setting.folder / "spec.yaml"
    spec.write_text("epochs: 2\ndata: {image_size: 64, batch_size: 4}\nexport: {onnx: false}\n")
    command = [sys.executable, "-m", "workers.training", str(spec), "--prepared", str(prepared)]
    command += ["--out", str(setting.folder / "run"), "--threads", str(setting.threads), "--device", "cpu"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as run:
        while run.poll() is None:
            yield from (f"process {pid}" for pid in descendants(run.pid) if uses_gpu(pid))
            time.sleep(LOOK_S)
    if run.returncode:
        yield f"it ended with exit code {run.returncode}"


def _names() -> Iterator[Finding]:
    """Name and memory that a worker tells of itself, as the driver's tool has them."""
    for row in ask("index", "uuid", "name", "memory.total"):
        index, uuid, name, mebibytes = row
        for chosen in (index, uuid):
            said = _python(_PROBE, CUDA_VISIBLE_DEVICES=chosen)
            found = json.loads(said.stdout.splitlines()[-1]) if said.returncode == 0 else []
            is_right = len(found) == 1 and found[0][0] == name
            is_right = is_right and abs(found[0][1] / 2**20 - float(mebibytes)) < 0.05 * float(mebibytes)
            yield holds(f"GPU {chosen} is {name}", is_right, found or _last(said.stderr))
    rows = ask("index", "name")
    if len(rows) > 1:
        said = _python(_PROBE, CUDA_VISIBLE_DEVICES=f"{rows[0][0]},{rows[1][0]}")
        found = [name for name, _ in json.loads(said.stdout.splitlines()[-1])]
        yield equal("two numbers at once", found, [name for _, name in rows[:2]])


def _worker(*classes: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment |= {"TRAINYARD_REDIS_URL": "redis://127.0.0.1:1/0"}  # it is not to come so far
    return _run([sys.executable, "-m", "workers", "train", *classes], environment)


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return _run([sys.executable, "-c", code], environment)


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=Path(REPOSITORY),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


def _last(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1][:200]
