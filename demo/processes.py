"""Run the Procfile's processes, and i-Reserve's two processes beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from demo.errors import DemoError
from demo.ports import free_port
from demo.supervisor import Supervisor, answers
from demo.watchdog import ROOT

# The names of the Procfile's processes, and the commands of i-Reserve's processes.
OURS = ("web", "worker", "beat", "flower")
IRESERVE = {
    "ireserve": "waitress-serve --listen 127.0.0.1:$PORT --threads 8 "
    "--call demo.ireserve.app:create_app",
    # Celery's own variable, for this process only: our application does not read it.
    "consumer": "env CELERY_BROKER_URL=$REDIS_URL celery --app demo.ireserve.consumer worker "
    "--pool solo --hostname ireserve@%h --loglevel WARNING --without-gossip --without-mingle",
}
# The texts that the workers log when they are up.
READY_TEXTS = {"worker": " ready.", "consumer": "ireserve@"}
HEALTH_PATHS = {"web": "/mattermost/health", "flower": "/healthcheck", "ireserve": "/"}
# No process of the demo can be reached from another machine.
LISTEN_ADDRESS = "127.0.0.1"


def new_ports() -> dict[str, int]:
    """Return a free port for each process that listens."""
    return {name: free_port() for name in HEALTH_PATHS}


@contextmanager
def running_processes(
    supervisor: Supervisor,
    commands: Mapping[str, list[str]],
    environment: Mapping[str, str],
    ports: Mapping[str, int],
) -> Iterator[None]:
    """Run the processes until the block ends, which begins when all are up.

    Raises:
        DemoError: a process did not come up.
    """
    environments = {
        name: {**environment, "PORT": str(ports.get(name, 0)), "LISTEN_ADDRESS": LISTEN_ADDRESS}
        for name in commands
    }
    with supervisor.running(commands, environments):
        for name, text in READY_TEXTS.items():
            supervisor.wait_for(name, partial(_has_logged, supervisor, name, text))
        for name, path in HEALTH_PATHS.items():
            supervisor.wait_for(name, partial(answers, f"{url_of(ports[name])}{path}"))
        yield


def _has_logged(supervisor: Supervisor, name: str, text: str) -> bool:
    return text in supervisor.log(name)


def url_of(port: int) -> str:
    """Return the address of a process's pages."""
    return f"http://{LISTEN_ADDRESS}:{port}"


def process_commands() -> dict[str, list[str]]:
    """Return the commands of the deployment's processes and of i-Reserve's processes.

    Raises:
        DemoError: there is no Procfile, since this is no checkout.
    """
    path = ROOT / "Procfile"
    if not path.exists():
        raise DemoError("the demo needs the repository with its Procfile: run bin/demo there")
    parts = [line.partition(": ") for line in path.read_text(encoding="utf-8").splitlines()]
    lines = {name: command for name, _, command in parts if name in OURS} | IRESERVE
    return {name: ["/bin/sh", "-c", f"exec {line}"] for name, line in lines.items()}
