"""``bin/demo``: the whole thing at work on one machine, with nothing installed beforehand."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType

from demo.errors import DemoError
from demo.installation import FLOWER_LOGIN, Installation, running_installation
from demo.ireserve.configuration import Channel
from demo.processes import LOG_NAME, running_processes
from demo.redis_server import NoRedisError
from demo.target import Target, running_target


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="bin/demo", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="play, verify the result, stop, and exit 0 or 1"
    )
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        with tempfile.TemporaryDirectory(prefix="ireserve-demo-") as directory:
            return _run(Path(directory), check=options.check)
    except (DemoError, NoRedisError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: stopped, nothing is left running")
        return 0


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(directory: Path, *, check: bool) -> int:
    with running_target(directory) as target, _running_installation(directory, target) as ours:
        _register(ours, target)
        print("Starting web, worker, beat, flower and i-Reserve ...", flush=True)
        with running_processes(ours.environment, directory):
            print(f"\nOpen this and watch  {ours.url('ireserve')}\n", flush=True)
            found = _play(ours, target)
            if check:
                print("FAILED: " + "; ".join(found) if found else "OK: all of it is there, once.")
                return 1 if found else 0
            _stay(ours, target)
    return 0


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
    for place in target.places:
        print(
            installation.command(
                "licence", "add", place.licence_id, "--url", target.url, "--team", target.team,
                "--channel", place.channel, "--token-file", "-", stdin=place.token,
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


def _play(installation: Installation, target: Target) -> list[str]:
    # i-Reserve's part: it knows the broker and nothing else. The tasks read it when imported.
    os.environ.update(REDIS_URL=installation.environment["REDIS_URL"])
    from demo.show import show

    return show(installation, target)


def _stay(installation: Installation, target: Target) -> None:
    print(
        f"\nThe page    {installation.url('ireserve')}\n"
        f"Mattermost  {target.page_url(target.public)}\n"
        f"Flower      {installation.url('flower')}  (login {FLOWER_LOGIN.replace(':', ' / ')})\n"
        f"Health      {installation.url('web')}/mattermost/health\n"
        f"Logs        {installation.directory / LOG_NAME}\n"
        "\nCtrl-C stops everything.",
        flush=True,
    )
    signal.pause()


if __name__ == "__main__":
    sys.exit(main())
