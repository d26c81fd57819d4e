"""Emoji codes as Unicode: ``:+1:`` becomes 👍, and what no emoji is called stays as it is."""

import re

# Mattermost takes a code only where no letter, digit or underscore stands right before or after.
_CODE = re.compile(r"(?<!\w):([a-z0-9+_-]{1,100}):(?!\w)")
_FLAG = re.compile(r"flag-([a-z]{2})")
_TONED = re.compile(r"(.+)_(light|medium_light|medium|medium_dark|dark)_skin_tone")
_TONES = {
    "light": "\U0001f3fb",
    "medium_light": "\U0001f3fc",
    "medium": "\U0001f3fd",
    "medium_dark": "\U0001f3fe",
    "dark": "\U0001f3ff",
}
_REGIONAL_A = 0x1F1E6
# What Mattermost calls otherwise than the library does.
_NAMES = {
    "simple_smile": "slightly_smiling_face",
    "smiling_face_with_3_hearts": "smiling_face_with_three_hearts",
}
# It also joins the words of a gendered emoji with a hyphen (`woman-shrugging`).
_PEOPLE = ("man-", "woman-")


def with_emoji(text: str) -> str:
    """Return the text with the codes of emoji that exist replaced."""
    return _CODE.sub(lambda match: _emoji(match[1]) or match[0], text)


def _emoji(name: str) -> str | None:
    if flag := _FLAG.fullmatch(name):
        return _known(name) or "".join(chr(_REGIONAL_A + ord(char) - ord("a")) for char in flag[1])
    if toned := _TONED.fullmatch(name):
        base = _known(toned[1])
        # The tone takes the place of the selector that asks for a coloured picture.
        return base and base.removesuffix("\ufe0f") + _TONES[toned[2]]
    return _known(name)


def _known(name: str) -> str | None:
    # Imported where it is used: its table takes 4 MB, and a worker may never meet a code.
    import emoji

    name = _NAMES.get(name, name)
    if name.startswith(_PEOPLE):
        name = name.replace("-", "_", 1)
    code = f":{name}:"
    found = emoji.emojize(code, language="alias")
    return None if found == code else found
