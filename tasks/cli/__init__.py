"""The operator's command line: ``ireserve-mattermost``."""

from tasks.cli.main import main

__all__ = ["main"]
