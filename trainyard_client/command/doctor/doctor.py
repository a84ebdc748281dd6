"""doctor: are this machine and the server fit? Each finding with what to do about it."""

from dataclasses import asdict
from pathlib import Path

import click

from trainyard_client.command.doctor.machine import machine
from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.session import Session, connected


@click.command()
@click.option("--local", is_flag=True, help="Look at this machine alone, and ask no server.")
@connected
def doctor(session: Session, local: bool) -> int:
    """Check this machine, the server and its workers, and say what to do.

    Writes 32 MB into the current folder, and deletes them, to see how fast the disk is. Ends with status 1
    where something is not well.
    """
    from trainyard_client.command.doctor.server import server

    findings = [*machine(Path.cwd()), *(() if local else server(session))]
    if session.output.as_json:
        session.output.document([asdict(finding) for finding in findings])
    for finding in () if session.output.as_json else findings:
        session.output.line(f"{'ok ' if finding.is_well else 'BAD'}  {finding.check}: {finding.found}")
        if not finding.is_well:
            session.output.line(f"     {finding.remedy}")
    return exit_codes.DONE if all(finding.is_well for finding in findings) else exit_codes.FAILURE
