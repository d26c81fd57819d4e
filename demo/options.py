"""What ``bin/demo`` may be told: known before anything is installed, so by the standard library."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from demo.languages import TIME_ZONES


@dataclass(frozen=True)
class Options:
    """``is_check``: play, verify, stop. ``is_json``: the outcome as JSON on standard output.

    ``language`` is that of the page, of the chat, and of the team that reads it.
    """

    is_check: bool
    is_json: bool
    language: str


def parsed(words: list[str]) -> Options:
    """Return what the words say.

    Raises:
        SystemExit: they ask for help, which has been printed (0), or are wrong (2).
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
