"""The command line as ``python -m tasks.cli``."""

from tasks.cli.main import main

main(prog_name="ireserve-mattermost")
