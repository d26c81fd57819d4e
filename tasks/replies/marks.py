"""Where a mark of Markdown may begin and end something, by what stands beside it."""

import re
from collections import defaultdict


def backticks(source: str) -> dict[int, list[int]]:
    """Return the ends of all runs of backticks by their length, the last one first."""
    ends: defaultdict[int, list[int]] = defaultdict(list)
    for run in re.finditer("`+", source):
        ends[len(run[0])].append(run.end())
    for found in ends.values():
        found.reverse()
    return ends


def may_open(char: str, before: str, after: str) -> bool:
    """Return whether a mark between these characters may begin something."""
    if after.isspace():
        return False
    if char == "_":
        return not before.isalnum()
    return not (before.isdigit() and after.isdigit())


def may_close(char: str, before: str, after: str) -> bool:
    """Return whether a mark between these characters may end something."""
    if before.isspace():
        return False
    if char == "_":
        return not after.isalnum()
    return not (before.isdigit() and after.isdigit())


def run_end(text: str, char: str) -> int:
    """Return how many of the character the text begins with."""
    return len(text) - len(text.lstrip(char))
