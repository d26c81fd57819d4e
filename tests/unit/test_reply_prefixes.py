"""Which posts begin a reply in mode explicit, and which reply prefixes a licence may choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.licence import DEFAULT_NOTE_PREFIXES, DEFAULT_REPLY_PREFIXES
from tasks.replies.content import PostText
from tasks.replies.notes import NotePrefixes
from tasks.replies.plain_text import Reading
from tasks.replies.prefixes import PrefixError
from tasks.replies.reply_prefixes import ReplyPrefixes, require_usable_reply_prefixes

NOTES = NotePrefixes.parse(DEFAULT_NOTE_PREFIXES)
PREFIXES = ReplyPrefixes.parse(DEFAULT_REPLY_PREFIXES)

REPLIES = {
    "plain": "reply: at six",
    "in capitals": "REPLY: at six",
    "another word": "Antwoord: at six",
    "one letter": "r:at six",
    "a blank before the colon": "reply : at six",
    "a wide colon": "reply\uff1a at six",
    "blanks and a newline in front": " \n reply: at six",
    "on a line of its own": "reply:\nat six",
    "bold": "**reply:** at six",
    "a heading": "# Reply: at six",
    "an entity": "&#114;eply: at six",
    "what is not seen in front": "\u200b\ufeffreply: at six",
}
NO_REPLIES = {
    "no prefix": "at six",
    "no colon": "reply at six",
    "another word": "replying: at six",
    "further on": "at six. reply: at six",
    "in the second line": "at six\nreply: at six",
    "a quote": "> reply: at six",
    "under a quote": "> when?\n\nreply: at six",
    "a bullet": "- reply: at six",
    "an emoji in front": "🔒 reply: at six",
    "a sign in front": "(reply: at six)",
    "code": "`reply: at six`",
    "a block of code": "```\nreply: at six\n```",
    "indented code": "    reply: at six",
    "a name in front": "@jan reply: at six",
    "a note": "note: reply: at six",
    "empty": "",
}


def read(message: str) -> PostText:
    """Return the message's text, read for a licence in mode explicit."""
    return PostText.of(message, NOTES, wanted=PREFIXES)


@pytest.mark.parametrize("message", REPLIES.values(), ids=REPLIES)
def test_reply_prefix_is_the_first_thing_that_is_read(message: str) -> None:
    """However a reply prefix is typed, the visitor reads the text after it."""
    post = read(message)

    assert (post.visitor_text, post.begins_a_note) == ("at six", False)
    assert post.as_reply().plain_text == "at six"
    assert post.as_reply().text == message


@pytest.mark.parametrize("message", NO_REPLIES.values(), ids=NO_REPLIES)
def test_in_doubt_nothing_begins_a_reply(message: str) -> None:
    """Without a reply prefix as the first thing to read, the visitor gets nothing of the post."""
    assert read(message).visitor_text is None


@pytest.mark.parametrize(
    "message",
    [
        "reply: note: at six",
        "r: @all look",
        "reply: //x",
        "reply:\n> hm\n\nnotitie: x",
        "r: 🔒 note: x",
    ],
)
def test_note_behind_a_reply_prefix_is_a_note(message: str) -> None:
    """A note prefix after a reply prefix makes a note."""
    assert read(message).begins_a_note


def test_name_behind_a_reply_prefix_is_asked_for() -> None:
    """A name after a reply prefix is looked up, since it may be a colleague's."""
    assert read("reply: @bob call her").mentions == ("bob",)


@pytest.mark.parametrize("message", ["reply:", "r: \u200b", "Antwoord:\n&nbsp;"], ids=ascii)
def test_prefix_alone_is_nothing_to_show(message: str) -> None:
    """A prefix alone is an empty reply."""
    assert read(message).is_blank


@pytest.mark.parametrize(
    "message", ["/close", "!take it", " !wie", "\uff01intern", "> x\n\n/note", "**!x**"], ids=ascii
)
def test_sign_and_letter_begin_a_command(message: str) -> None:
    """A sign followed by a letter begins a command, which is not for the visitor."""
    assert PostText.of(message, NOTES).begins_a_command
    assert read(f"reply: {message}").begins_a_command


@pytest.mark.parametrize(
    "message", ["!", "!!", "/ 2", "!1", "1/2", "![i](https://a.nl/i.png) x", "ok !x", "`!x`"]
)
def test_other_signs_begin_no_command(message: str) -> None:
    """A sign alone, a number or a picture begins no command."""
    assert not PostText.of(message, NOTES).begins_a_command


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        pytest.param("", "no word", id="none"),
        pytest.param(" \u200b ", "no word", id="none that is seen"),
        pytest.param("reply: /r", "command", id="command"),
        pytest.param("!r", "command", id="sign of a bot"),
        pytest.param("reply: NOTE:", "note", id="a note's prefix"),
        pytest.param("@visitor", "note", id="a name"),
        pytest.param("> r", "something else", id="quote"),
        pytest.param("`r`", "something else", id="code"),
        pytest.param("#", "something else", id="heading"),
        pytest.param(":wave:", "something else", id="code of an emoji"),
    ],
)
def test_prefix_that_would_begin_no_reply_is_refused(setting: str, says: str) -> None:
    """A prefix with which no reply could begin is refused, and the error says why."""
    with pytest.raises(PrefixError, match=says):
        require_usable_reply_prefixes(setting, notes=NOTES)


@pytest.mark.parametrize("setting", [DEFAULT_REPLY_PREFIXES, "gast: 👋", "=> Antwort:", "reply"])
def test_prefix_that_begins_a_reply_is_taken(setting: str) -> None:
    """Words, signs and emoji are accepted as prefixes."""
    require_usable_reply_prefixes(setting, notes=NOTES)


@given(
    prefix=st.sampled_from(["reply: ", "REPLY : ", "**Antwoord:** ", "# r: ", " \n antwort:\n"]),
    text=st.text(max_size=60),
)
def test_what_a_visitor_gets_stands_behind_a_prefix(prefix: str, text: str) -> None:
    """For any text behind a prefix, the visitor gets the end of the plain text, never all of it."""
    reading, post = Reading.of(prefix + text), read(prefix + text)

    assert post.visitor_text is not None
    assert reading.text.endswith(post.visitor_text)
    assert len(post.visitor_text) < len(reading.text)
