"""Reads an installation's file of settings, and refuses lines that programs would read differently.

A shell, systemd, honcho and container engines have different rules for quotes, blanks and ``$``.
The error names the number of the line.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
# No shell expands these characters, and none of them ends a word or begins a comment.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=?-]*")
# Within single quotes all programs take a text unchanged, unless it has a backslash.
_QUOTED = re.compile(r"'([^'\\]*)'")


class EnvFileError(Exception):
    """A file of settings cannot be read; the message names file and line, never a value."""


def load_env_file(path: Path) -> None:
    """Set the file's variables in this process's environment, also those that are already set.

    Raises:
        EnvFileError: the file cannot be read, or programs would read a line differently.
    """
    os.environ.update(read_env_file(path))


def read_env_file(path: Path) -> dict[str, str]:
    """Return the file's values by name; of several lines for a name, the last one counts.

    Raises:
        EnvFileError: the file cannot be read, or programs would read a line differently.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise EnvFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise EnvFileError(f"{path}: it is not in UTF-8") from None
    return dict(
        _setting(line, where=f"{path}, line {number}")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip(" \t") and not line.lstrip(" \t").startswith("#")
    )


def _setting(line: str, *, where: str) -> tuple[str, str]:
    found = _LINE.fullmatch(line.strip(" \t"))
    if found is None:
        raise EnvFileError(f"{where}: write NAME=value, without blanks around =")
    name, value = found.groups()
    quoted = _QUOTED.fullmatch(value)
    if quoted is not None and value.isprintable():
        return name, quoted[1]
    if _PLAIN.fullmatch(value):
        return name, value
    raise EnvFileError(
        f"{where}: put the value of {name} in single quotes; there may be no other single quote, "
        "backslash or control character in it"
    )
