"""``alive``: whether one process of this machine does its work, for supervisors and containers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException

import click

from settings import own_port, own_worker_name
from tasks.cli.command import Command
from tasks.cli.installation import Installation
from tasks.cli.output import show
from tasks.watch.heartbeats import BEAT, BEATS_FOR_S, alive_s_ago, here

# `web` looks at database and Redis before it answers, for 5 s at most.
ANSWERS_WITHIN_S = 8
PAGES = {"web": (8_000, "/mattermost/health"), "flower": (5_555, "/healthcheck")}


@click.command(cls=Command)
@click.argument("process")
def alive(process: str) -> None:
    """Say whether a PROCESS of this machine is alive.

    It is named as for `run`: web, worker, worker-2, beat or flower. A worker
    and beat leave a sign of life in Redis; web and flower are asked for their
    health on this machine, at PORT. Exit code 1 if the process is not well.
    """
    kind = process.partition("-")[0]
    if kind not in LOOKS:
        raise click.UsageError(f"no process {kind!r}: it is one of {', '.join(LOOKS)}")
    is_alive, sentence = LOOKS[kind](process)
    show({"process": process, "is_alive": is_alive, "sentence": sentence}, sentence)
    sys.exit(0 if is_alive else 1)


def _look_for_sign(process: str) -> tuple[bool, str]:
    name = here(own_worker_name() if process == "worker" else process)
    ago_s = alive_s_ago(Installation().redis, name)
    if ago_s is None:
        return False, f"{name} has left no sign of life in Redis for {BEATS_FOR_S} s: start it."
    return True, f"{name} left a sign of life in Redis {ago_s:.0f} s ago."


def _ask(process: str) -> tuple[bool, str]:
    usual_port, path = PAGES[process.partition("-")[0]]
    port = own_port(usual_port)
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN_S)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, HTTPException):
        return False, f"{process} does not answer on port {port} of this machine: start it."
    finally:
        connection.close()
    if status != 200:
        return False, f"{process} answers with {status}: see its log, and run doctor."
    return True, f"{process} answers on port {port}, and is well."


LOOKS: dict[str, Callable[[str], tuple[bool, str]]] = {
    "web": _ask,
    "worker": _look_for_sign,
    BEAT: _look_for_sign,
    "flower": _ask,
}
