"""Commands about single processes: run one, and check whether one is alive."""

from __future__ import annotations

import click

from tasks.cli.command import Command


@click.command(cls=Command, runs="tasks.cli.alive:alive")
@click.argument("process")
def alive() -> None:
    """Check whether a PROCESS of this machine is alive.

    PROCESS is named as for `run`: web, worker, worker-2, beat or flower. A worker and beat send
    heartbeats to Redis. Web and flower are asked for their health, on this machine, at PORT.
    Exit code 1 if the process is not alive.
    """


@click.command(cls=Command, runs="tasks.cli.run:run")
@click.argument("process")
def run() -> None:
    """Run a PROCESS of the Procfile.

    PROCESS is web, worker, beat, flower or release. A worker may have a name: worker-2 runs a
    worker with the WORKER_NAME worker-2.
    """
