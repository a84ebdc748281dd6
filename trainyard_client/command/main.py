"""`trainyard`: the command. What a command needs is imported when it is called: `--help` is at once there."""

import os
import sys
from importlib import import_module
from typing import Any

import click

from trainyard_client.command.terminal import exit_codes
from trainyard_client.errors import TrainyardError

OF_CLIENT = "trainyard_client.command"
MODULES = {
    "login": (f"{OF_CLIENT}.server.connection", "Keep the address of a server and its key as a profile."),
    "logout": (f"{OF_CLIENT}.server.connection", "Forget a profile's key."),
    "config": (f"{OF_CLIENT}.server.connection", "Show and choose profiles."),
    "dataset": (f"{OF_CLIENT}.datasets", "Upload data sets, see what ingest found, answer its questions."),
    "run": (f"{OF_CLIENT}.runs.runs", "Submit runs, watch and change them, take results away."),
    "draft": (
        f"{OF_CLIENT}.runs.drafts",
        "Save runs unsubmitted; edit, check and submit them later.",
    ),
    "experiment": (
        f"{OF_CLIENT}.runs.experiments",
        "Save settings under a name, of which runs are made.",
    ),
    "model": (f"{OF_CLIENT}.models", "Register trained models, stage and ask them; see what can be trained."),
    "board": (f"{OF_CLIENT}.boards", "Open TensorBoard over runs of the server."),
    "queue": (f"{OF_CLIENT}.server.cluster", "See what waits, and why."),
    "worker": (f"{OF_CLIENT}.server.cluster", "See who works."),
    "project": (f"{OF_CLIENT}.server.cluster", "See and set limits of projects."),
    "webhook": (
        f"{OF_CLIENT}.server.webhooks",
        "Tell an address of yours when runs change their status.",
    ),
    "key": (f"{OF_CLIENT}.server.administration", "Make, list and revoke access keys."),
    "admin": (
        f"{OF_CLIENT}.server.administration",
        "See what takes room and free it; rebuild Redis from storage.",
    ),
    "train": ("trainyard_local.command", "Train on this machine, without a service."),
    "open": (f"{OF_CLIENT}.opening", "Open the report of a run in the browser."),
    "doctor": (
        f"{OF_CLIENT}.doctor.doctor",
        "Check this machine, server and workers, and say what to do.",
    ),
    "completion": (f"{OF_CLIENT}.terminal.completion", "Print the completion for a shell."),
    "version": (f"{OF_CLIENT}.server.connection", "Print the version."),
}
"""For each command its module and its line of help. `train` is there where all of Trainyard is installed."""


class LazyGroup(click.Group):
    """The commands of MODULES, each imported at its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in MODULES:
            return None
        try:
            command: click.Command = getattr(import_module(MODULES[name][0]), name)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("trainyard_client"):
                raise
            raise TrainyardError(
                f"`trainyard {name}` needs {error.name}, which the client alone does not have.",
                remedy="Install all of Trainyard: `make` in its repository, or `pip install .` there.",
            ) from error
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """As click does it; a reader that has gone, as in `trainyard run ls | head`, is no error."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the interpreter's own flush
            raise click.exceptions.Exit(exit_codes.DONE) from error
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, but without a look into the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in MODULES.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def trainyard() -> None:
    """Train vision models on machines of your own.

    The server is that of --url, else TRAINYARD_URL, else the current profile, else http://127.0.0.1:8000;
    the key that of TRAINYARD_API_KEY or the profile. Results go to standard output, notes to standard error.

    \b
    Exit status: 0 done, 1 failure, 2 usage, 3 refused, 4 not signed in,
    5 not found, 6 server unreachable, 7 the watched run failed, 8 it was
    stopped or cancelled, 130 Ctrl-C.
    """


def main() -> None:
    """Run the command; ends the process with one of `exit_codes`."""
    try:
        result = trainyard.main(prog_name="trainyard", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(exit_codes.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TrainyardError as error:
        _explain(error)
        sys.exit(exit_codes.of_error(error))
    sys.exit(result if isinstance(result, int) else exit_codes.DONE)


def _explain(error: TrainyardError) -> None:
    lines = [f"Error: {error.message}"]
    lines += [f"  {field}: {reason}" for field, reason in _flat(error.errors)]
    lines += [error.remedy] if error.remedy else []
    lines += [f"(request {error.request_id})"] if error.request_id and error.cause == "infrastructure" else []
    print("\n".join(lines), file=sys.stderr)


def _flat(errors: object, prefix: str = "") -> list[tuple[str, str]]:
    """Fields by their dotted path, each with what is wrong."""
    if isinstance(errors, dict):
        return [
            pair
            for key, inner in errors.items()
            for pair in _flat(inner, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(errors, list):
        return [(prefix, " ".join(map(str, errors)))]
    return [(prefix, str(errors))]
