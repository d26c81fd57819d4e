"""``bin/demo``: the whole thing at work on one machine, with nothing installed beforehand."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from demo.installation import (
    FLOWER_LOGIN,
    DemoError,
    Installation,
    running_installation,
    running_processes,
)
from demo.redis_server import NoRedisError
from demo.target import Target, running_target

LICENCE = "demo"


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
    with running_target(directory) as target, running_installation(directory) as installation:
        _register(installation, target)
        print("Starting web, worker, beat and flower ...", flush=True)
        with running_processes(installation):
            found = _play(installation, target)
            if check:
                print("FAILED: " + "; ".join(found) if found else "OK: all of it is there, once.")
                return 1 if found else 0
            _stay(installation, target)
    return 0


def _register(installation: Installation, target: Target) -> None:
    print(
        installation.command(
            "licence", "add", LICENCE, "--url", target.url, "--team", target.team,
            "--channel", target.channel, "--token-file", "-", stdin=target.token,
        )
    )  # fmt: skip
    if target.bookings:
        notify = ("licence", "notify", LICENCE, "booking_confirmed", target.bookings)
        print(installation.command(*notify))


def _play(installation: Installation, target: Target) -> list[str]:
    # i-Reserve's part: it knows the broker and nothing else.
    os.environ.update(REDIS_URL=installation.environment["REDIS_URL"])
    from demo.play import delivered, play, problems
    from tasks.mattermost import MattermostClient

    client = MattermostClient(target.url, target.token)
    names = [name for name in (target.channel, target.bookings) if name]
    channels = {
        client.get_channel_by_name(team=target.team, channel=name).id: name for name in names
    }
    played = play(LICENCE)
    posts = delivered(client, played, list(channels))
    for post in posts:
        first_line = post.message.splitlines()[0] if post.message else "(notification)"
        files = ", ".join(file.name for file in post.files)
        place = "  └ " if post.root_id else ""
        print(f"  ~{channels[post.channel_id]}: {place}{first_line}{f'  [{files}]' * bool(files)}")
    return problems(played, posts)


def _stay(installation: Installation, target: Target) -> None:
    print(
        f"\nMattermost  {target.page_url}\n"
        f"Flower      {installation.flower_url}  (login {FLOWER_LOGIN.replace(':', ' / ')})\n"
        f"Health      {installation.web_url}/mattermost/health\n"
        f"Logs        {installation.directory}/processes.log\n"
        "\nCtrl-C stops everything.",
        flush=True,
    )
    signal.pause()


if __name__ == "__main__":
    sys.exit(main())
