"""Senders shown as authors have names that no member has."""

import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rendering import DEFAULT_LOCALE, authors
from tasks.rendering.posts import MAX_NAME_LENGTH, PLACES, Role
from tests.unit.test_rendering_oracle import NASTY

author_name = partial(authors.author_name, locale=DEFAULT_LOCALE)
author_props = partial(authors.author_props, locale=DEFAULT_LOCALE)
# What Mattermost reads as a user name.
USER_NAME = re.compile(r"[a-z0-9._-]+")

NAMES: dict[str, tuple[Role, str, str]] = {
    "visitor": ("visitor", "Jan de Vries", "🙋 Jan de Vries"),
    "agent": ("agent", "Anna", "Anna (i-Reserve)"),
    "visitor named like a member": ("visitor", "anna", "🙋 anna"),
    "visitor named like an agent": ("visitor", "Anna (i-Reserve)", "🙋 Anna (i-Reserve)"),
    "several lines": ("visitor", "Jan\n\tde  Vries", "🙋 Jan de Vries"),
    "control characters": ("visitor", "J\x00a\x1bn", "🙋 Jan"),
    "turned round": ("visitor", "\u202eanna\u202c", "🙋 anna"),
    "half a character": ("agent", "A\ud800", "A\ufffd (i-Reserve)"),
    "nothing to see": ("visitor", "\u200b \u3164", "🙋 Unnamed visitor"),
    "nothing": ("agent", "", "Unnamed agent (i-Reserve)"),
    "bot": ("bot", "Assistent", "🤖 Assistent (bot)"),
    "bot named like a member": ("bot", "anna", "🤖 anna (bot)"),
    "i-Reserve": ("system", "", "ℹ️ i-Reserve"),
    "part of i-Reserve": ("system", "mailer", "ℹ️ mailer"),
    "markdown": ("visitor", "**@channel** [x](y)", "🙋 **@channel** [x](y)"),
}


@pytest.mark.parametrize(("role", "name", "shown"), NAMES.values(), ids=NAMES.keys())
def test_name_is_cleaned_and_says_where_it_comes_from(role: Role, name: str, shown: str) -> None:
    """An author's name has a sign or a place; control characters are removed, Markdown stays."""
    assert author_name(name, role=role) == shown


@given(NASTY | st.text(), st.sampled_from(["visitor", "agent", "bot", "system"]))
def test_no_name_is_a_members(name: str, role: Role) -> None:
    """A name is one line of limited length, and never just a user name."""
    shown = author_name(name, role=role)

    assert USER_NAME.fullmatch(shown) is None
    signs = {"visitor": "🙋 ", "bot": "🤖 ", "system": "ℹ️ "}
    assert shown.startswith(signs.get(role, ""))
    assert shown.endswith(PLACES[role])
    assert "\n" not in shown
    assert len(shown) <= MAX_NAME_LENGTH + len(" (i-Reserve)")
    assert shown.encode().decode() == shown


def test_post_shows_its_author_by_three_props() -> None:
    """The three props of an author are strings, because clients compare with the word "true"."""
    assert author_props(sender_name="Jan", sender_role="visitor") == {
        "from_webhook": "true",
        "override_username": "🙋 Jan",
        "override_icon_emoji": "raising_hand",
    }
    assert author_props(sender_name="Anna", sender_role="agent") == {
        "from_webhook": "true",
        "override_username": "Anna (i-Reserve)",
        "override_icon_emoji": "headphones",
    }


@pytest.mark.parametrize(
    ("role", "is_internal", "icon"),
    [
        pytest.param("bot", False, "robot_face", id="bot"),
        pytest.param("system", False, "information_source", id="i-Reserve"),
        pytest.param("agent", True, "lock", id="note by an agent"),
        pytest.param("system", True, "lock", id="note by i-Reserve"),
    ],
)
def test_icon_says_who_speaks_and_a_note_has_its_own(
    role: Role, is_internal: bool, icon: str
) -> None:
    """Each sender has an emoji that Mattermost knows, and every note has the lock."""
    props = author_props(sender_name="Anna", sender_role=role, is_internal=is_internal)

    assert props["override_icon_emoji"] == icon
