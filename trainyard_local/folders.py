"""Where experiments lie: `exp1`, `exp2` and so on, or names of one's own; each is trained by one process."""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainyard.errors import Conflict, InvalidRequest, NotFound
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder

AUTO = "auto"
"""The name that asks for one made of the spec."""
_NAME = re.compile(r"[\w+=-][\w.+=-]{0,99}\Z")
_LOCK = ".lock"


def make_folder(runs: Path, name: str | None, spec: TrainingSpec) -> RunFolder:
    """A new folder: `exp` with the next free number, or by the name; `auto` makes a name of the spec.

    Raises InvalidRequest for a name that is none of a folder, Conflict for one that is taken, and
    StorageUnavailable.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        if name is None:
            return _numbered(runs, "exp")
        if name == AUTO:
            return _numbered(runs, f"{described(spec)}-v")
        if not _NAME.match(name):
            raise InvalidRequest(f"{name!r} is no name of an experiment: letters, digits and . _ + = - only.")
        (runs / name).mkdir()
    except FileExistsError as error:
        raise Conflict(
            f"There is an experiment {name} already.", remedy="Resume it, or choose another name."
        ) from error
    except OSError as error:
        raise storage_error(f"A folder for the experiment could not be made in {runs}", error) from error
    return RunFolder(runs / name)


def described(spec: TrainingSpec) -> str:
    """`architecture-encoder__losses__weights`, as unet-resnet18__dice+cross_entropy__imagenet."""
    model = spec.model
    losses = "+".join(one.name for one in spec.optimization.losses)
    weights = model.encoder_weights.partition(":")[0]
    return re.sub(r"[^\w+=-]", "-", f"{model.architecture.lower()}-{model.encoder}__{losses}__{weights}")


def find_folder(runs: Path, name: str) -> RunFolder:
    """An experiment by its name in `runs`, or by its path; raises NotFound."""
    for path in (runs / name, Path(name)):
        if RunFolder(path).record.is_file():
            return RunFolder(path.resolve())
    known = ", ".join(sorted(path.parent.name for path in runs.glob("*/run.json"))) or "none"
    raise NotFound(f"There is no experiment {name} in {runs}.", remedy=f"There are: {known}.")


@contextmanager
def held(folder: RunFolder) -> Iterator[None]:
    """The experiment is this process's own for as long as the block lasts; raises Conflict."""
    with (folder.path / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"{folder.path.name} is being trained by another process.", remedy="Wait for its end."
            ) from error
        yield  # the lock goes with the file, also where the process is killed


def _numbered(runs: Path, begins: str) -> RunFolder:
    """The next number after the highest; another process may take it first."""
    pattern = re.compile(rf"{re.escape(begins)}(\d+)\Z")
    while True:
        taken = [int(found[1]) for path in runs.iterdir() if (found := pattern.match(path.name))]
        path = runs / f"{begins}{max(taken, default=0) + 1}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return RunFolder(path)
