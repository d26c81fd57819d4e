"""Emoji codes as Unicode: ``:+1:`` becomes 👍, and a code that names no emoji stays as it is.

The names, skin tones and joined sequences are Mattermost's own. They stand in ``emoji.tsv``, which
names its sources.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

# Mattermost takes a code only if no letter, digit or underscore stands right before or after it.
# Its pattern knows only the letters of ASCII.
_CODE = re.compile(r"(?<![A-Za-z0-9_]):([A-Za-z0-9_+-]{1,100}):(?![A-Za-z0-9_])")
_TONES = ("light", "medium_light", "medium", "medium_dark", "dark")
_TONED = re.compile(r"([0-4]+)(.+)")


def with_emoji(text: str) -> str:
    """Return the text with the codes of emoji that exist replaced."""
    return _CODE.sub(lambda match: emoji_by_name().get(match[1].lower(), match[0]), text)


@cache
def emoji_by_name() -> dict[str, str]:
    """Return all emoji by their names in small letters."""
    # This takes 1 MB, so the file is read only when the first code comes.
    table = files(__package__).joinpath("emoji.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if "\t" in line)
    return {
        name + ending: char
        for emoji, names, *toned in rows
        for ending, char in _forms(emoji, toned)
        for name in names.split(" ")
    }


def _forms(emoji: str, toned: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the ending of the name of each form of the emoji, and the form."""
    yield "", emoji
    for form in toned:
        match = _TONED.fullmatch(form)
        assert match is not None
        yield "".join(f"_{_TONES[int(tone)]}_skin_tone" for tone in match[1]), match[2]
