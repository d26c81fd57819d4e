"""The posts of a thread have sender and content, and are never too long or empty."""

from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import rendering
from tasks.rendering import DEFAULT_LOCALE
from tasks.rendering.posts import ICONS, MIN_MESSAGE_LENGTH, NOTE_ICON, Role
from tests.unit.test_rendering_oracle import NASTY, Reading, mentions, read, without_blanks

file_note = partial(rendering.file_note, locale=DEFAULT_LOCALE)
render_files_header = partial(rendering.render_files_header, locale=DEFAULT_LOCALE)
render_reply = partial(rendering.render_reply, locale=DEFAULT_LOCALE)
AMSTERDAM = timezone(timedelta(hours=1))
ROLES: st.SearchStrategy[Role] = st.sampled_from(["visitor", "agent", "bot", "system"])
BOLD = ("strong_open", "strong_close")


@pytest.mark.parametrize(
    "name", ["", " ", "\u200b", "\u2060", "\u00ad", "\u3164", "\u2800", "\u202e\ufe0f"], ids=ascii
)
def test_a_name_that_cannot_be_seen_is_none(name: str) -> None:
    """A sender with an invisible name counts as unnamed."""
    (message,) = render_reply(sender_name=name, sender_role="agent", text="a")

    assert message == "🎧 **Unnamed agent** (i-Reserve)\n\na"


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        pytest.param("visitor", ["🙋 **Anna**\n\u200b# Hoi"], id="visitor"),
        pytest.param("agent", ["🎧 **Anna** (i-Reserve)\n\n# Hoi"], id="agent"),
        pytest.param("bot", ["🤖 **Anna** (bot)\n\u200b# Hoi"], id="bot"),
        pytest.param("system", ["ℹ️ **Anna**\n\u200b# Hoi"], id="i-Reserve under a name"),
    ],
)
def test_senders_are_told_apart(role: Role, expected: list[str]) -> None:
    """Each sender has a sign, some also a place, and only an agent's text is Markdown."""
    messages = render_reply(sender_name="Anna", sender_role=role, text="# Hoi")

    assert messages == expected


def test_what_ireserve_says_under_no_name_is_one_line() -> None:
    """i-Reserve's message without a name needs no header; a late message has its time."""
    sent_at = datetime(2026, 5, 1, 12, 3, tzinfo=UTC)

    (event,) = render_reply(sender_name="", sender_role="system", text="Jan left the page")
    (late,) = render_reply(sender_name="", sender_role="system", text="Jan left", sent_at=sent_at)

    assert event == "ℹ️ Jan left the page"
    assert late == "ℹ️ · sent 1 May 2026 12:03 UTC\nJan left"


@pytest.mark.parametrize(
    ("role", "name", "with_sender", "expected"),
    [
        ("agent", "Anna", True, "🔒 **Anna** (i-Reserve) · internal note\n\nask @bert"),
        ("agent", "Anna", False, "_🔒 internal note_\n\nask @bert"),
        ("bot", "Tom", True, "🔒 **Tom** (bot) · internal note\nask @\u200bbert"),
        ("system", "", True, "🔒 internal note\nask @\u200bbert"),
        ("system", "", False, "_🔒 internal note_\nask @\u200bbert"),
    ],
    ids=["agent", "agent as author", "bot", "i-Reserve", "i-Reserve as author"],
)
def test_note_says_that_it_is_one(role: Role, name: str, with_sender: bool, expected: str) -> None:
    """For each sender, a note says that it is a note, with a lock instead of the sender's sign."""
    messages = render_reply(
        sender_name=name,
        sender_role=role,
        text="ask @bert",
        with_sender=with_sender,
        is_internal=True,
    )

    assert messages == [expected]


def test_a_reply_without_text_is_its_header_and_its_notes() -> None:
    """A message with only files has a header, and a line for each failed file."""
    note = file_note(name="C:\\x\\@all_1.png", reason="larger than the limit of 100 MB.")

    messages = [
        render_reply(sender_name="", sender_role="visitor", text=" \n"),
        render_reply(sender_name="J", sender_role="visitor", text="", notes=[note, note]),
        render_reply(sender_name="J", sender_role="agent", text="Hoi", notes=[note]),
    ]

    line = "⚠ @\u200ball_1.png could not be attached: larger than the limit of 100 MB."
    assert messages == [
        ["🙋 **Unnamed visitor**"],
        [f"🙋 **J**\n{line}\n{line}"],
        [f"🎧 **J** (i-Reserve)\n\nHoi\n\n{line}"],
    ]


def test_a_long_reply_says_which_message_of_how_many() -> None:
    """Each part of a long message has the sender and its number in the header."""
    messages = render_reply(sender_name="J", sender_role="visitor", text="hallo wereld " * 3000)

    assert [message.splitlines()[0] for message in messages] == [
        "🙋 **J** (1/3)",
        "🙋 **J** (2/3)",
        "🙋 **J** (3/3)",
    ]


@settings(max_examples=150)
@given(NASTY, ROLES, st.booleans(), NASTY, st.integers(0, 400), st.lists(NASTY, max_size=40))
def test_every_message_fits_and_has_its_sender(
    name: str, role: Role, is_internal: bool, text: str, times: int, names: list[str]
) -> None:
    """No part is too long or without a header, whatever name, text and notes are."""
    notes = [file_note(name=name, reason="gone.") for name in names]

    messages = render_reply(
        sender_name=name,
        sender_role=role,
        text=text * times,
        notes=notes,
        max_length=MIN_MESSAGE_LENGTH,
        is_internal=is_internal,
    )

    assert messages
    assert max(map(len, messages)) <= MIN_MESSAGE_LENGTH
    sign = NOTE_ICON if is_internal else ICONS[role]
    assert all(message.startswith(sign) for message in messages)
    assert sum(message.count("could not be attached: gone.") for message in messages) == len(notes)


@settings(max_examples=100)
@given(NASTY, st.integers(1, 60))
def test_all_of_a_text_is_found_again(text: str, times: int) -> None:
    """A client shows every character of a message of any length, in order."""
    messages = render_reply(
        sender_name="J", sender_role="visitor", text=text * times, max_length=MIN_MESSAGE_LENGTH
    )

    bodies = [read(message.partition("\n")[2]).text for message in messages]
    assert without_blanks("".join(bodies)) == without_blanks(text * times)


@settings(max_examples=300)
@given(NASTY, NASTY)
def test_no_name_spoils_a_reply(name: str, text: str) -> None:
    """A name is only bold, and neither name nor text mentions a member."""
    (message,) = render_reply(sender_name=name, sender_role="visitor", text=text)

    assert (read(message).foreign, mentions(message)) == (BOLD, [])


def test_a_length_that_no_server_has_is_refused() -> None:
    """A limit that is too small for header and notes is an error, not an endless loop."""
    with pytest.raises(ValueError, match="max_length must be at least 4000, not 100"):
        render_reply(sender_name="J", sender_role="visitor", text="a", max_length=100)


@pytest.mark.parametrize(
    ("first", "last", "header"),
    [
        pytest.param(11, 20, "🎧 **A_b** (i-Reserve) · files 11–20 of 21", id="several"),
        pytest.param(21, 21, "🎧 **A_b** (i-Reserve) · file 21 of 21", id="one"),
    ],
)
def test_further_files_have_a_header(first: int, last: int, header: str) -> None:
    """A reply with only further files names the sender and the files."""
    actual = render_files_header(
        sender_name="A_b", sender_role="agent", first=first, last=last, total=21
    )

    assert actual == header


@settings(max_examples=300)
@given(NASTY)
def test_no_file_name_spoils_a_note(name: str) -> None:
    """A note about a file is one line of text, whatever the file's name."""
    note = file_note(name=name, reason="gone.")

    reading = read(note)
    assert (reading.hrefs, reading.foreign, mentions(note)) == ((), (), [])
    assert "\n" not in note


def test_a_long_name_is_shortened() -> None:
    """A very long name is cut visibly between two graphemes."""
    messages = render_reply(sender_name="👩‍👩‍👧" * 40, sender_role="visitor", text="")

    assert read(messages[0]) == Reading("🙋 " + "👩‍👩‍👧" * 15 + "…", (), BOLD)


def test_late_message_says_when_it_was_sent() -> None:
    """The header of a late message has its time in UTC."""
    sent_at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

    (message,) = render_reply(sender_name="Jan", sender_role="visitor", text="x", sent_at=sent_at)

    assert message == "🙋 **Jan** · sent 2 Jan 2026 03:04 UTC\nx"


LATE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("role", ["visitor", "agent"])
def test_author_of_a_post_needs_no_header(role: Role) -> None:
    """With the sender as author, the text has no header, and files need no text."""
    messages = render_reply(sender_name="J", sender_role=role, text="Hoi", with_sender=False)
    bare = render_reply(sender_name="J", sender_role=role, text="", with_sender=False)

    assert (messages, bare) == (["Hoi"], [""])


def test_author_of_a_post_leaves_only_what_no_author_tells() -> None:
    """With the sender as author, the header has only time, part and files."""
    late = render_reply(
        sender_name="J", sender_role="visitor", text="x", sent_at=LATE, with_sender=False
    )
    parts = render_reply(
        sender_name="J", sender_role="agent", text="word " * 5000, sent_at=LATE, with_sender=False
    )
    files = render_files_header(
        sender_name="J", sender_role="agent", first=11, last=20, total=21, with_sender=False
    )

    assert late == ["_sent 2 Jan 2026 03:04 UTC_\nx"]
    assert [message.partition("\n\n")[0] for message in parts] == [
        "_sent 2 Jan 2026 03:04 UTC (1/2)_",
        "_sent 2 Jan 2026 03:04 UTC (2/2)_",
    ]
    assert files == "_files 11–20 of 21_"


@settings(max_examples=100)
@given(NASTY, ROLES, NASTY, st.integers(0, 400), st.booleans())
def test_both_ways_cut_a_text_at_the_same_places(
    name: str, role: Role, text: str, times: int, is_late: bool
) -> None:
    """A text is cut at the same places with and without a header: retries may omit the header."""

    def bodies(*, with_sender: bool) -> list[str]:
        messages = render_reply(
            # Without a name, i-Reserve's text follows its sign on the same line.
            sender_name=f"J{name}",
            sender_role=role,
            text=text * times,
            sent_at=LATE if is_late else None,
            max_length=MIN_MESSAGE_LENGTH,
            with_sender=with_sender,
        )
        assert max(map(len, messages)) <= MIN_MESSAGE_LENGTH
        has_head = with_sender or is_late or len(messages) > 1
        gap = "\n\n" if role == "agent" else "\n"
        return [message.partition(gap)[2] if has_head else message for message in messages]

    assert bodies(with_sender=True) == bodies(with_sender=False)
