"""`python -m demo.mattermost`: the stand-in as a process, until SIGTERM or Ctrl-C."""

import argparse
import json
import signal
import threading
from pathlib import Path

from demo.mattermost.server import running_server


def main() -> None:
    """Serve; the first line of output is JSON with the address."""
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running_server(
        host=arguments.host, port=arguments.port, journal=arguments.journal
    ) as stand_in:
        print(json.dumps({"url": stand_in.url}), flush=True)
        stop.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo.mattermost",
        description="A stand-in that answers as a Mattermost 6.7.2 server does.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--journal", type=Path, help="file that keeps the state over a restart")
    return parser.parse_args()


if __name__ == "__main__":
    main()
