"""`make env`: the file .env that docker-compose.yml is filled in from, with secrets of its own.

It needs nothing but Python. A file that is there is left as it is: its passwords are in use.
"""

import argparse
import hashlib
import os
import secrets
import sys
from pathlib import Path

FILE = Path(".env")


def main(arguments: list[str]) -> int:
    """Write the file and print the key that it has the hash of; exit status 1 where there is a file."""
    parser = argparse.ArgumentParser(prog="python -m deploy.compose_env", description=__doc__)
    parser.add_argument("--gpu", action="store_true", help="train on GPU 0, too")
    asked = parser.parse_args(arguments)
    key = secrets.token_urlsafe(32)
    try:
        descriptor = os.open(FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(
            f"{FILE} is there, and is left as it is. Its passwords are in use; move it away to make others."
        )
        return 1
    with os.fdopen(descriptor, "w") as file:
        file.write(content(key, with_gpu=asked.gpu))
    print(f"{FILE} is written. Clients send this key, kept nowhere and shown this once:\n\n  {key}\n")
    print("The command takes it as TRAINYARD_API_KEY, a browser signs in with it.")
    print("Next: docker compose up --build")
    return 0


def content(key: str, *, with_gpu: bool) -> str:
    """The file's lines: passwords, the key's hash, and which workers there are."""
    values = {
        "REDIS_PASSWORD": secrets.token_urlsafe(32),
        "FLOWER_BASIC_AUTH": f"trainyard:{secrets.token_urlsafe(32)}",
        "TRAINYARD_API_KEY_HASHES": hashlib.sha256(key.encode()).hexdigest(),
    }
    if with_gpu:
        values |= {"COMPOSE_PROFILES": "gpu", "TRAINYARD_DEVICE_CLASSES": "gpu,cpu"}
    return "".join(f"{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
