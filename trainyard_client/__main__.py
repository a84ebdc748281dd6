"""`python -m trainyard_client`: the command `trainyard`."""

from trainyard_client.command.main import main

main()
