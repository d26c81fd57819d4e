"""``demo``: run the whole application on this machine, to watch in a browser."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from tasks.cli.command import OperatorError, wants_json

# No deployed module imports the demo: this starts it as a separate program.
PROGRAM = "demo"


def demo(check: bool, language: str) -> None:
    """Play a conversation with a stand-in Mattermost."""
    if find_spec(PROGRAM) is None:
        raise OperatorError("the demo is not installed here: run it from the repository, bin/demo")
    words = ["--check"] * check + ["--json"] * wants_json() + ["--language", language]
    # The demo replaces this process, so that signals and the exit code are its own. With -P Python
    # takes no folder "demo" of the current directory for it.
    os.execv(sys.executable, [sys.executable, "-P", "-m", PROGRAM, *words])
