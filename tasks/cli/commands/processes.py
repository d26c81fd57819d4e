"""Commands about single processes: becoming one, and whether one is alive."""

from __future__ import annotations

import click

from tasks.cli.command import Command


@click.command(cls=Command, runs="tasks.cli.alive:alive")
@click.argument("process")
def alive() -> None:
    """Say whether a PROCESS of this machine is alive.

    It is named as for `run`: web, worker, worker-2, beat or flower. A worker
    and beat leave a sign of life in Redis; web and flower are asked for their
    health on this machine, at PORT. Exit code 1 if the process is not well.
    """


@click.command(cls=Command, runs="tasks.cli.run:run")
@click.argument("process")
def run() -> None:
    """Become a PROCESS of the Procfile.

    It is web, worker, beat, flower or release. A worker may have a name:
    worker-2 is a worker, and worker-2 is its WORKER_NAME.
    """
