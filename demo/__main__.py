"""Run the whole demo on one machine, with nothing installed beforehand: ``bin/demo``."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from contextlib import redirect_stdout
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from demo.errors import DemoError, InterruptedDemoError, ProcessEndedError
from demo.interruption import Interruption
from demo.options import Options, parsed

if TYPE_CHECKING:
    from demo.running import RunningDemo


def main(interruption: Interruption) -> int:
    """Run the demo; return the exit code."""
    options = parsed(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape code.
        assert isinstance(stream, TextIOWrapper)
        stream.reconfigure(errors="backslashreplace")
    output = sys.stdout
    try:
        with redirect_stdout(sys.stderr if options.is_json else output):
            return _run(options, interruption, json_to=output if options.is_json else None)
    except (DemoError, ProcessEndedError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except InterruptedDemoError:
        # The signal may mean that the terminal was closed.
        with contextlib.suppress(OSError):
            print("\ndemo: stopped, nothing is left running", file=sys.stderr, flush=True)
        return 0


def _run(options: Options, interruption: Interruption, *, json_to: TextIO | None) -> int:
    # This import takes a second, and a signal must be handled in that second, too.
    from demo.running import running_demo

    with running_demo(language=options.language) as demo:
        problems = demo.play()
        if json_to is not None:
            outcome = {"is_ok": not problems, "problems": problems, **demo.addresses}
            print(json.dumps(outcome), file=json_to, flush=True)
        if options.is_check:
            print("FAILED: " + "; ".join(problems) if problems else "OK: all of it is there, once.")
            return 1 if problems else 0
        _stay(demo, interruption)
    return 0


def _stay(demo: RunningDemo, interruption: Interruption) -> None:
    print(_summary(demo), flush=True)
    try:
        demo.stay()
    except InterruptedDemoError:
        # A signal is the usual end of the demo.
        interruption.forget()
        raise


def _summary(demo: RunningDemo) -> str:
    from demo.installation import FLOWER_LOGIN

    where = demo.addresses
    return (
        f"\nThe page    {where['page']}\n"
        f"Mattermost  {where['mattermost']}\n"
        f"Flower      {where['flower']}  (login {FLOWER_LOGIN.replace(':', ' / ')})\n"
        f"Health      {where['health']}\n"
        f"Logs        {where['logs']}\n"
        f"Commands    {where['commands']} status\n"
        "\nOpen the page and write on either side. Ctrl-C stops everything."
    )


if __name__ == "__main__":
    signals = Interruption()
    signals.listen()
    code = main(signals)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    # The interpreter loses signals while it shuts down, so skip the shutdown.
    os._exit(signals.exit_code(code))
