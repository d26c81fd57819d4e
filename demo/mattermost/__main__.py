"""Run the stand-in as a process until SIGTERM or Ctrl-C: `python -m demo.mattermost`."""

import argparse
import json
import signal
import sys
from pathlib import Path

from demo.mattermost.server import running_server
from demo.mattermost.versions import NEWEST, VERSIONS

_ENDS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Run the stand-in; its first line of output is JSON with the address."""
    arguments = _arguments()
    # Wait for the signals instead of handling them: a handler that sets an event can deadlock.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        with running_server(
            host=arguments.host,
            port=arguments.port,
            journal=arguments.journal,
            version=arguments.answer_as,
        ) as stand_in:
            print(json.dumps({"url": stand_in.url}), flush=True)
            signal.sigwait(_ENDS)
    except OSError as error:
        where = f"{arguments.host}:{arguments.port}"
        sys.exit(f"stand-in: cannot serve on {where}: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo.mattermost",
        description="Runs a stand-in that answers like a Mattermost server.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=_port, default=0, help="the port; 0 means a free one")
    parser.add_argument("--journal", type=Path, help="a file that keeps the state over a restart")
    parser.add_argument(
        "--answer-as",
        choices=list(VERSIONS),
        default=NEWEST,
        help="the version of Mattermost to answer as",
    )
    return parser.parse_args()


def _port(word: str) -> int:
    number = int(word)
    if not 0 <= number < 65_536:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number


if __name__ == "__main__":
    main()
