"""completion: what a shell needs to complete commands and options."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion for SHELL.

    \b
    bash: eval "$(trainyard completion bash)" in ~/.bashrc
    zsh:  eval "$(trainyard completion zsh)" in ~/.zshrc
    fish: trainyard completion fish > ~/.config/fish/completions/trainyard.fish
    """
    from trainyard_client.command.main import trainyard

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(kind(trainyard, {}, "trainyard", "_TRAINYARD_COMPLETE").source())
