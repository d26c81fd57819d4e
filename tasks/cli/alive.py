"""``alive``: check whether one process of this machine works, for supervisors and containers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from socket import gethostname

import click

from settings import flower_prefix, own_address, own_port, own_worker_name
from tasks.cli.installation import Installation
from tasks.cli.output import show
from tasks.watch.processes import ALIVE_MS, ProcessKind, seen_s_ago

# Before it answers, `web` tries database and Redis, for 5 s at most.
ANSWERS_WITHIN_S = 8
WEB_PORT, FLOWER_PORT = 8_000, 5_555


def alive(process: str) -> None:
    """Show whether a PROCESS of this machine is alive; exit with 1 if it is not."""
    kind = process.partition("-")[0]
    if kind not in LOOKS:
        raise click.UsageError(f"no process {kind!r}: it is one of {', '.join(LOOKS)}")
    is_alive, sentence = LOOKS[kind](process)
    show({"process": process, "is_alive": is_alive, "sentence": sentence}, sentence)
    sys.exit(0 if is_alive else 1)


def _look_for_worker(process: str) -> tuple[bool, str]:
    name = own_worker_name() if process == "worker" else process
    return _look(ProcessKind.WORKER, f"{name}@{gethostname()}")


def _look_for_beat(_: str) -> tuple[bool, str]:
    return _look(ProcessKind.BEAT, gethostname())


def _look(kind: ProcessKind, name: str) -> tuple[bool, str]:
    ago_s = seen_s_ago(Installation().redis, kind, name)
    if ago_s is None:
        within = f"{ALIVE_MS / 1_000:.0f} s"
        return False, f"{kind} {name} has sent no heartbeat to Redis for {within}: start it."
    return True, f"{kind} {name} sent a heartbeat to Redis {ago_s:.0f} s ago."


def _ask_web(process: str) -> tuple[bool, str]:
    return _ask(process, port=own_port(WEB_PORT), path="/mattermost/health")


def _ask_flower(process: str) -> tuple[bool, str]:
    return _ask(process, port=own_port(FLOWER_PORT), path=f"{flower_prefix()}/healthcheck")


def _ask(process: str, *, port: int, path: str) -> tuple[bool, str]:
    connection = HTTPConnection(own_address(), port, timeout=ANSWERS_WITHIN_S)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, HTTPException):
        return False, f"{process} does not answer on port {port} of this machine: start it."
    finally:
        connection.close()
    if status != HTTPStatus.OK:
        return False, f"{process} answers with {status}: see its log, and run doctor."
    return True, f"{process} answers on port {port}, and is well."


LOOKS: dict[str, Callable[[str], tuple[bool, str]]] = {
    "web": _ask_web,
    "worker": _look_for_worker,
    "beat": _look_for_beat,
    "flower": _ask_flower,
}
