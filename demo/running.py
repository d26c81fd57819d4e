"""Run the demo: a Mattermost server, an installation, and all their processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from demo.errors import DemoError
from demo.installation import Installation, running_installation
from demo.ireserve.configuration import Channel
from demo.ireserve.words import PAGE_WORDS
from demo.languages import TIME_ZONES
from demo.processes import process_commands, running_processes
from demo.supervisor import Supervisor, supervised
from demo.target import MEMBER, Target, running_target


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """A demo whose processes are up."""

    installation: Installation
    target: Target

    @property
    def addresses(self) -> dict[str, str]:
        """Return the addresses of the pages, and the paths of the logs and the commands."""
        url = self.installation.url
        return {
            "page": url("ireserve"),
            "mattermost": self.target.page_url(self.target.public),
            "flower": url("flower"),
            "health": f"{url('web')}/mattermost/health",
            "logs": str(self.installation.supervisor.logs),
            "commands": str(self.installation.ireserve.commands),
        }

    def play(self) -> list[str]:
        """Play both directions, print what happens, and return what is wrong.

        Call this once in a process: its tasks keep the broker of the first demo.
        """
        # i-Reserve needs only the broker's address. The tasks read it when they are imported.
        os.environ.update(REDIS_URL=self.installation.environment["REDIS_URL"])
        from demo.show import show

        try:
            return show(self.installation, self.target)
        except DemoError as error:
            raise DemoError(f"{error}{self.installation.supervisor.tails(['worker'])}") from error

    def stay(self) -> None:
        """Wait until a signal comes or a process ends; both raise an error."""
        while True:
            signal.pause()


@contextmanager
def running_demo(*, language: str = "en") -> Iterator[RunningDemo]:
    """Yield a demo whose processes are up; end all processes and remove all files afterwards.

    ``language`` is the language of the page, the chat and the team.

    Raises:
        DemoError: a process did not come up.
        NoRedisError: there is no Redis server to start.
        ProcessEndedError: a process of the demo has ended by itself.
    """
    commands = process_commands()
    with (
        supervised() as supervisor,
        running_target(supervisor, language=language) as target,
        _running_installation(supervisor, target, language) as installation,
    ):
        _register(installation, target)
        print("Starting web, worker, beat, flower and i-Reserve ...", flush=True)
        with running_processes(supervisor, commands, installation.environment, installation.ports):
            yield RunningDemo(installation, target)


def _running_installation(
    supervisor: Supervisor, target: Target, language: str
) -> AbstractContextManager[Installation]:
    return running_installation(
        supervisor,
        channels={
            place.licence_id: Channel(
                target.label(place, private=PAGE_WORDS[language].private), target.page_url(place)
            )
            for place in target.places
        },
        stand_in_url=target.url if target.is_stand_in else None,
        language=language,
    )


def _register(installation: Installation, target: Target) -> None:
    mention = ("--mention", MEMBER) if target.is_stand_in else ()
    language = installation.ireserve.language
    reading = ("--language", language, "--time-zone", TIME_ZONES[language] or "UTC")
    for place in target.places:
        installation.command(
            "licence", "add", place.licence_id, "--url", target.url, "--team", target.team,
            "--channel", place.channel, "--token-file", installation.token_file(place.token),
            *mention, *reading,
        )  # fmt: skip
        label = target.label(place, private="private")
        print(f"Added licence {place.licence_id}: {label} on {target.url}", flush=True)
    licence_id = target.public.licence_id
    if target.bookings:
        installation.command("licence", "notify", licence_id, "booking_confirmed", target.bookings)
    if target.is_stand_in:
        token = installation.token_file(target.make_webhook(installation.webhook_url))
        installation.command("licence", "webhook", licence_id, "--token-file", token)
