"""How an operator may write whom a root post mentions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.licence import HANDLE_LENGTH, MENTION_LENGTH
from tasks.licences.mention import MAX_MEMBERS, MentionError, mentioned_members, parse_mention

STORED = {
    "one member": ("@anna", "@anna"),
    "without its sign": ("anna", "@anna"),
    "two members": ("@anna @bert", "@anna @bert"),
    "commas": ("@anna, @bert,@carla", "@anna @bert @carla"),
    "blanks around": ("  @anna\t@bert \n", "@anna @bert"),
    "capitals": ("@Anna", "@anna"),
    "one member twice": ("@anna anna @ANNA", "@anna"),
    "every sign of a name": ("@a.b-c_9", "@a.b-c_9"),
    "one letter": ("@a", "@a"),
    "longest name": ("@" + "a" * HANDLE_LENGTH, "@" + "a" * HANDLE_LENGTH),
    "the channel": ("@channel", "@channel"),
    "nothing": ("", ""),
    "blanks alone": (" , ", ""),
}
REFUSED = {
    "channel and a member": "@channel @anna",
    "all": "@all",
    "here": "@here",
    "too long": "a" * (HANDLE_LENGTH + 1),
    "accent": "@andré",
    "colon of a remote user": "@anna:remote",
    "two signs": "@@anna",
    "sign alone": "@",
    "e-mail": "anna@example.com",
    "markdown": "**anna**",
    "semicolon": "@anna;@bert",
    "too many": " ".join(f"@m{number}" for number in range(MAX_MEMBERS + 1)),
}


@pytest.mark.parametrize(("setting", "stored"), STORED.values(), ids=STORED.keys())
def test_mention_is_stored_as_it_is_shown(setting: str, stored: str) -> None:
    """A mention is stored with each name once, in lower case, with its sign, in order."""
    assert parse_mention(setting) == stored


@pytest.mark.parametrize("setting", REFUSED.values(), ids=REFUSED.keys())
def test_what_names_no_member_is_refused(setting: str) -> None:
    """A mention that names no member, or too many, is refused."""
    with pytest.raises(MentionError):
        parse_mention(setting)


def test_members_of_a_mention_are_told_apart_from_the_channel() -> None:
    """The members of a mention are its names without the signs; the channel is no member."""
    assert mentioned_members("@anna @b.c") == ("anna", "b.c")
    assert mentioned_members("@channel") == ()
    assert mentioned_members("") == ()


@given(st.text())
def test_mention_is_refused_or_safe_to_draw(setting: str) -> None:
    """Any text is refused as a mention, or fits its column and contains only names."""
    try:
        stored = parse_mention(setting)
    except MentionError:
        return

    assert parse_mention(stored) == stored
    assert len(stored) <= MENTION_LENGTH
    assert all(word.startswith("@") and word[1:].isascii() for word in stored.split(" ") if word)
