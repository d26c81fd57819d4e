"""``demo``: the whole thing at work on this machine, to be watched in a browser."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from tasks.cli.command import OperatorError, wants_json

# Nothing that is deployed imports the demo: it is a program beside us that this starts.
PROGRAM = "demo"


def demo(check: bool, language: str) -> None:
    """Play a conversation with a stand-in Mattermost."""
    if find_spec(PROGRAM) is None:
        raise OperatorError("the demo is not installed here: run it from the repository, bin/demo")
    words = ["--check"] * check + ["--json"] * wants_json() + ["--language", language]
    # In our place, so that signals and the exit code are the demo's own; and never a folder of
    # that name where the command happens to be called (-P).
    os.execv(sys.executable, [sys.executable, "-P", "-m", PROGRAM, *words])
