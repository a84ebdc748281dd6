"""Groups of commands whose help says of each command the whole of what it does."""

import click


class Group(click.Group):
    """click's own cuts a command's line off where it does not fit."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl([(name, _told(one)) for name, one in commands.items() if one])


def _told(command: click.Command) -> str:
    """The first paragraph of its help."""
    first = (command.help or "").split("\n\n")[0]
    return " ".join(first.replace("\b", "").split())
