"""The demo as it runs: a Mattermost server, an installation beside it, and all their processes."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.errors import DemoError
from demo.installation import Installation, running_installation
from demo.ireserve.configuration import Channel
from demo.processes import LOG_NAME, running_processes
from demo.target import MEMBER, Target, running_target


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """What runs; nothing has been played on it yet."""

    installation: Installation
    target: Target
    processes: subprocess.Popen[bytes]

    @property
    def addresses(self) -> dict[str, str]:
        """Return where there is something to see."""
        url = self.installation.url
        return {
            "page": url("ireserve"),
            "mattermost": self.target.page_url(self.target.public),
            "flower": url("flower"),
            "health": f"{url('web')}/mattermost/health",
            "logs": str(self.installation.directory / LOG_NAME),
        }

    def play(self) -> list[str]:
        """Play both directions, print what happens; return what is not as it should be.

        Once in a process: i-Reserve's part is set up to enqueue for this demo.
        """
        # i-Reserve knows the broker and nothing else. The tasks read it when they are imported.
        os.environ.update(REDIS_URL=self.installation.environment["REDIS_URL"])
        from demo.show import show

        return show(self.installation, self.target)

    def stay(self) -> None:
        """Wait for as long as the processes run.

        Raises:
            DemoError: one of them has ended, and all others with it.
        """
        self.processes.wait()
        raise DemoError("one of its processes ended, and all others with it: start it again")


@contextmanager
def running_demo() -> Iterator[RunningDemo]:
    """Yield a demo whose processes are up; nothing is left of it afterwards.

    Raises:
        DemoError: something did not come up.
        NoRedisError: there is no Redis server to start.
    """
    with (
        tempfile.TemporaryDirectory(prefix="ireserve-demo-") as name,
        running_target(Path(name)) as target,
        _running_installation(Path(name), target) as installation,
    ):
        _register(installation, target)
        print("Starting web, worker, beat, flower and i-Reserve ...", flush=True)
        with running_processes(installation.environment, installation.directory) as processes:
            yield RunningDemo(installation, target, processes)


def _running_installation(directory: Path, target: Target) -> AbstractContextManager[Installation]:
    return running_installation(
        directory,
        channels={
            place.licence_id: Channel(target.label(place), target.page_url(place))
            for place in target.places
        },
        stand_in_url=target.url if target.is_stand_in else None,
    )


def _register(installation: Installation, target: Target) -> None:
    mention = ("--mention", MEMBER) if target.is_stand_in else ()
    for place in target.places:
        print(
            installation.command(
                "licence", "add", place.licence_id, "--url", target.url, "--team", target.team,
                "--channel", place.channel, "--token-file", "-", *mention, stdin=place.token,
            )
        )  # fmt: skip
    licence_id = target.public.licence_id
    if target.bookings:
        notify = ("licence", "notify", licence_id, "booking_confirmed", target.bookings)
        print(installation.command(*notify))
    if target.is_stand_in:
        token = target.make_webhook(installation.webhook_url)
        webhook = ("licence", "webhook", licence_id, "--token-file", "-")
        print(installation.command(*webhook, stdin=token))
