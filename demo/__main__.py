"""``bin/demo``: the whole thing at work on one machine, with nothing installed beforehand."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from contextlib import redirect_stdout
from types import FrameType
from typing import TextIO

from demo.errors import DemoError
from demo.installation import FLOWER_LOGIN
from demo.redis_server import NoRedisError
from demo.running import RunningDemo, running_demo


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="bin/demo", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="play, verify the result, stop, and exit 0 or 1"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the outcome as JSON, the rest on standard error"
    )
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    output = sys.stdout
    try:
        with redirect_stdout(sys.stderr if options.json else output):
            return _run(check=options.check, json_to=output if options.json else None)
    except (DemoError, NoRedisError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: stopped, nothing is left running", file=sys.stderr)
        return 0


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(*, check: bool, json_to: TextIO | None) -> int:
    with running_demo() as demo:
        print(f"\nOpen this and watch  {demo.addresses['page']}\n", flush=True)
        problems = demo.play()
        if json_to is not None:
            outcome = {"is_ok": not problems, "problems": problems, **demo.addresses}
            print(json.dumps(outcome), file=json_to, flush=True)
        if check:
            print("FAILED: " + "; ".join(problems) if problems else "OK: all of it is there, once.")
            return 1 if problems else 0
        _stay(demo)
    return 0


def _stay(demo: RunningDemo) -> None:
    where = demo.addresses
    print(
        f"\nThe page    {where['page']}\n"
        f"Mattermost  {where['mattermost']}\n"
        f"Flower      {where['flower']}  (login {FLOWER_LOGIN.replace(':', ' / ')})\n"
        f"Health      {where['health']}\n"
        f"Logs        {where['logs']}\n"
        "\nCtrl-C stops everything.",
        flush=True,
    )
    demo.stay()


if __name__ == "__main__":
    sys.exit(main())
