"""Where a run was trained that no worker of this service has trained."""

from dataclasses import dataclass

LOCAL = "local"
"""The worker of an attempt that was none of this service."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """An experiment as it was on another machine; `created_at` is in seconds since 1970, UTC.

    `run_id`, `name` and `revision` are those it had there. `by` is whoever handed it over: the id of a key,
    or another name. All but that is what its files say, which nobody has vouched for.
    """

    run_id: str
    name: str
    revision: int
    created_at: float
    by: str

    def alias(self, project: str) -> str:
        """By which the run is found in its project where another experiment names the one that it was."""
        return experiment_alias(project, self.run_id)


def experiment_alias(project: str, run_id: str) -> str:
    """An experiment, by its id where it was trained, as it is called in a project."""
    return f"{project}:{run_id}"
