"""``run``: become one of the Procfile's processes, wherever the application is installed."""

from __future__ import annotations

import os
from pathlib import Path

import click
from honcho.environ import parse_procfile

import tasks
from settings import environment_with

# Celery and `python -m` look for our packages in the folder in which they are started.
ROOT = Path(tasks.__file__).resolve().parent.parent


def run(process: str) -> None:
    """Become a PROCESS of the Procfile."""
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    kind, _, number = process.partition("-")
    if kind not in commands:
        raise click.UsageError(f"no process {kind!r}: it is one of {', '.join(commands)}")
    os.chdir(ROOT)
    environment = environment_with(**({"WORKER_NAME": process} if number else {}))
    # In our place, so that signals and the exit code are the process's own.
    os.execve("/bin/sh", ["sh", "-c", f"exec {commands[kind]}"], environment)
