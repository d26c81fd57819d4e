"""The options of ``bin/demo``. It needs only the standard library, to run before installing."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from demo.languages import TIME_ZONES


@dataclass(frozen=True)
class Options:
    """The options of the demo.

    ``is_check`` means: play, check the result, stop. ``is_json`` prints the result as JSON on
    standard output. ``language`` is the language of the page, the chat and the team.
    """

    is_check: bool
    is_json: bool
    language: str


def parsed(words: list[str]) -> Options:
    """Return the options that the command line's words give.

    Raises:
        SystemExit: the words ask for help, which was printed (0), or are wrong (2).
    """
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="Runs everything on this machine, with nothing installed beforehand.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--check", action="store_true", help="play, check the result, stop, and exit with 0 or 1"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the result as JSON, and everything else on standard error",
    )
    parser.add_argument(
        "--language",
        choices=list(TIME_ZONES),
        default="en",
        help="the language of the page, the chat and the team's texts",
    )
    given = parser.parse_args(words)
    return Options(is_check=given.check, is_json=given.json, language=given.language)


if __name__ == "__main__":
    parsed(sys.argv[1:])
