"""Several API processes behind nginx, one of which is killed while clients ask."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.measures.turns import environment
from deploy.redis import free_port
from trainyard.settings import REPOSITORY

PROCESSES = 3
SECONDS = 20.0
START_S = 120.0
_CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 0; proxy_request_buffering off; proxy_buffering off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream trainyard {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://trainyard; proxy_http_version 1.1; proxy_set_header Host $http_host;
      proxy_next_upstream error timeout non_idempotent; proxy_connect_timeout 2s;
    }}
  }}
}}
"""


def balanced(folder: Path, redis_url: str, storage: Path) -> str:
    """What a client gets that asks without pause, by status; a process is killed after a while."""
    ports = [free_port() for _ in range(PROCESSES)]
    own = folder / "balanced"
    own.mkdir()
    told = {**environment(1), "TRAINYARD_REDIS_URL": redis_url, "TRAINYARD_STORAGE": str(storage)}
    with _started(ports, told, own) as processes, _nginx(ports, own) as port:
        found: Counter[str] = Counter()
        longest, begin, is_killed = 0.0, time.monotonic(), False
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as client:
            while (passed := time.monotonic() - begin) < SECONDS:
                if not is_killed and passed > SECONDS / 3:
                    os.killpg(processes[0].pid, signal.SIGKILL)
                    is_killed = True
                asked = time.monotonic()
                found[_answer(client, sum(found.values()))] += 1
                longest = max(longest, time.monotonic() - asked)
    answers = ", ".join(f"{count} x {answer}" for answer, count in sorted(found.items()))
    return f"{PROCESSES} API processes behind nginx, one killed: {answers}; the longest took {longest:.2f} s"


def _answer(client: httpx.Client, number: int) -> str:
    """Reads, and every tenth time a write."""
    try:
        if number % 10 == 0:
            answer = client.put(f"/projects/balanced-{number}", json={"max_concurrent": 2})
        else:
            answer = client.get("/runs", params={"limit": 10})
    except httpx.TransportError as error:
        return type(error).__name__
    return str(answer.status_code)


@contextmanager
def _started(ports: list[int], told: dict[str, str], folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes = []
    with (folder / "app.log").open("w") as log:
        for port in ports:
            command, own = [sys.executable, "-m", "app"], {**told, "TRAINYARD_PORT": str(port)}
            processes.append(
                subprocess.Popen(
                    command, cwd=REPOSITORY, env=own, stdout=log, stderr=log, start_new_session=True
                )
            )
    try:
        for port in ports:
            _await(f"http://127.0.0.1:{port}/readyz")
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


@contextmanager
def _nginx(ports: list[int], folder: Path) -> Iterator[int]:
    port, file = free_port(), folder / "nginx.conf"
    servers = " ".join(f"server 127.0.0.1:{one} max_fails=1 fail_timeout=2s;" for one in ports)
    file.write_text(_CONFIGURATION.format(folder=folder, servers=servers, port=port))
    with subprocess.Popen(["nginx", "-c", str(file)], stderr=subprocess.DEVNULL) as process:
        try:
            _await(f"http://127.0.0.1:{port}/readyz")
            yield port
        finally:
            process.terminate()


def _await(url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{url} is not ready after {START_S:.0f} s.")
