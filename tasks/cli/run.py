"""``run``: become a process of the Procfile, from any folder."""

from __future__ import annotations

import os
from pathlib import Path

import click
from honcho.environ import parse_procfile

import tasks
from settings import environment_with

# Celery and `python -m` look for our packages in the folder in which they start.
ROOT = Path(tasks.__file__).resolve().parent.parent


def run(process: str) -> None:
    """Become a PROCESS of the Procfile."""
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    kind, _, number = process.partition("-")
    if kind not in commands:
        raise click.UsageError(f"no process {kind!r}: it is one of {', '.join(commands)}")
    os.chdir(ROOT)
    environment = environment_with(**({"WORKER_NAME": process} if number else {}))
    # The process replaces this one, so that signals and the exit code are its own.
    os.execve("/bin/sh", ["sh", "-c", f"exec {commands[kind]}"], environment)
