"""The posts of a thread: who, what, when, and no post that is too long or empty."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rendering import file_note, render_files_header, render_reply, render_root
from tasks.rendering.posts import MIN_MESSAGE_LENGTH, Role
from tests.unit.test_rendering_oracle import NASTY, Reading, mentions, read, squashed

AMSTERDAM = timezone(timedelta(hours=1))
ROLES: st.SearchStrategy[Role] = st.sampled_from(["visitor", "agent"])
BOLD = ("strong_open", "strong_close")


def test_the_root_post_tells_who_which_when_and_where() -> None:
    """The root post has the visitor's name, the conversation's id, the time and the page."""
    post = render_root(
        conversation_id="c-17",
        visitor_name="Jan de Vries",
        page_url="https://www.bieb.nl/boeken/?q=(a)",
        started_at=datetime(2026, 11, 22, 15, 3, tzinfo=AMSTERDAM),
        continues=True,
    )

    assert post.splitlines() == [
        "💬 **Jan de Vries**",
        "Conversation `c-17` · started 22 Nov 2026 14:03 UTC",
        "Page: [www.bieb.nl/boeken/?q=(a)](https://www.bieb.nl/boeken/?q=%28a%29)",
        "↪ _This continues an earlier thread, which is gone._",
    ]


def test_the_root_post_leaves_out_what_is_not_known() -> None:
    """Without name, time and page the root post still says which conversation it is."""
    post = render_root(
        conversation_id="17", visitor_name=" ", page_url=None, started_at=None, continues=False
    )

    assert post == "💬 **Unnamed visitor**\nConversation `17`"


@pytest.mark.parametrize(
    ("page_url", "line"),
    [
        pytest.param("javascript:alert(1)", "Page: javascript:\u200balert(1)", id="no web address"),
        pytest.param("www.x.nl", "Page: w\u200bww.x.nl", id="no scheme"),
        pytest.param("http://x.nl a", "Page: http:\u200b//x.nl a", id="an address and more"),
        pytest.param("http://x.nl/\n# a", "Page: http:\u200b//x.nl\u200b/ # a", id="two lines"),
        pytest.param(
            "https://x.nl/@all/" + "a" * 80,
            "Page: [x.nl/@\u200ball/" + "a" * 69 + "…](https://x.nl/@all/" + "a" * 80 + ")",
            id="long",
        ),
        pytest.param("https://x.nl/a_).", "Page: [x.nl/a_).](https://x.nl/a_%29.)", id="odd end"),
        pytest.param("http://[::1]/a", "Page: [[:\u200b:\u200b1]/a](http://[::1]/a)", id="ipv6"),
        pytest.param("https://x.nl/«’", "Page: [x.nl/«’](https://x.nl/«’)", id="quotes"),
        pytest.param("https://my_host/", "Page: [my_host](https://my_host/)", id="underscore"),
        pytest.param(
            "http://x.nl\\@e.nl", "Page: http:\u200b//x.nl\\\\@\u200be.nl", id="two hosts"
        ),
        pytest.param("https:///a", "Page: https:\u200b///a", id="no host"),
    ],
)
def test_a_page_is_a_link_only_if_it_is_a_web_address(page_url: str, line: str) -> None:
    """Anything but an http(s) address is shown as text; a long address is shown in part."""
    post = render_root(
        conversation_id="17", visitor_name="J", page_url=page_url, started_at=None, continues=False
    )

    assert post.splitlines()[2:] == [line]


def test_a_page_of_a_long_address_can_be_opened() -> None:
    """The link leads to the whole address, of which a part is shown."""
    address = "https://x.nl/?s=" + "a" * 2500

    post = render_root(
        conversation_id="17",
        visitor_name="J",
        page_url=address,
        started_at=None,
        continues=False,
        max_length=MIN_MESSAGE_LENGTH,
    )

    assert read(post).hrefs == (address,)


def test_no_page_makes_a_root_post_too_long() -> None:
    """An address for which the post has no room is shown in part, as text."""
    post = render_root(
        conversation_id="`" * 100,
        visitor_name="*" * 80,
        page_url="https://x.nl/" + "(" * 7900,
        started_at=datetime(2026, 1, 2, tzinfo=UTC),
        continues=True,
        max_length=MIN_MESSAGE_LENGTH,
    )

    assert len(post) <= MIN_MESSAGE_LENGTH
    assert read(post).hrefs == ()


@pytest.mark.parametrize(
    "name", ["", " ", "\u200b", "\u2060", "\u00ad", "\u3164", "\u2800", "\u202e\ufe0f"], ids=ascii
)
def test_a_name_that_cannot_be_seen_is_none(name: str) -> None:
    """A sender whose name shows nothing is unnamed."""
    (message,) = render_reply(sender_name=name, sender_role="agent", text="a")

    assert message == "🎧 **Unnamed agent** (i-Reserve)\n\na"


def test_an_id_that_cannot_be_seen_is_spelt_out() -> None:
    """An id of a no-break space is shown by its code point."""
    post = render_root(
        conversation_id="\u00a0", visitor_name="J", page_url=None, started_at=None, continues=False
    )

    assert post.splitlines()[1] == "Conversation U+00A0"


@settings(max_examples=300, deadline=None)
@given(NASTY, NASTY, NASTY, st.booleans())
def test_no_root_post_can_be_bent(name: str, id_: str, page: str, web: bool) -> None:
    """Name, id and page stay on their lines, mention nobody, and bring nothing else along."""
    page_url = f"https://x.nl/{page}" if web else page

    post = render_root(
        conversation_id=id_,
        visitor_name=name,
        page_url=page_url,
        started_at=datetime(2026, 1, 2, tzinfo=UTC),
        continues=False,
    )

    reading = read(post)
    code = [token for token in reading.foreign if token == "code_inline"]
    assert mentions(post) == []
    assert sorted(reading.foreign) == sorted((*BOLD, *code))
    assert len(code) <= 1
    assert len(post.split("\n")) == 2 + post.count("\nPage: ")


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        pytest.param("visitor", ["🙋 **Anna**\n\u200b# Hoi"], id="visitor"),
        pytest.param("agent", ["🎧 **Anna** (i-Reserve)\n\n# Hoi"], id="agent"),
    ],
)
def test_visitor_and_agent_are_told_apart(role: Role, expected: list[str]) -> None:
    """Each has a sign, and the agent a place; the visitor's text is plain, the agent's Markdown."""
    messages = render_reply(sender_name="Anna", sender_role=role, text="# Hoi")

    assert messages == expected


def test_a_reply_without_text_is_its_header_and_its_notes() -> None:
    """A reply with attachments alone has a header, and a line for each one that failed."""
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
    """Each message of a long reply has the sender and its number in the header."""
    messages = render_reply(sender_name="J", sender_role="visitor", text="hallo wereld " * 3000)

    assert [message.splitlines()[0] for message in messages] == [
        "🙋 **J** (1/3)",
        "🙋 **J** (2/3)",
        "🙋 **J** (3/3)",
    ]


@settings(max_examples=150, deadline=None)
@given(NASTY, ROLES, NASTY, st.integers(0, 400), st.lists(NASTY, max_size=40))
def test_every_message_fits_and_has_its_sender(
    name: str, role: Role, text: str, times: int, names: list[str]
) -> None:
    """No message is too long, whatever the name, the text and the notes; none lacks a header."""
    notes = [file_note(name=name, reason="gone.") for name in names]

    messages = render_reply(
        sender_name=name,
        sender_role=role,
        text=text * times,
        notes=notes,
        max_length=MIN_MESSAGE_LENGTH,
    )

    assert messages
    assert max(map(len, messages)) <= MIN_MESSAGE_LENGTH
    assert {message[0] for message in messages} == {"🙋" if role == "visitor" else "🎧"}
    assert sum(message.count("could not be attached: gone.") for message in messages) == len(notes)


@settings(max_examples=100, deadline=None)
@given(NASTY, st.integers(1, 60))
def test_all_of_a_text_is_found_again(text: str, times: int) -> None:
    """Every character of a reply of any length stands in what a client shows, in order."""
    messages = render_reply(
        sender_name="J", sender_role="visitor", text=text * times, max_length=MIN_MESSAGE_LENGTH
    )

    bodies = [read(message.partition("\n")[2]).text for message in messages]
    assert squashed("".join(bodies)) == squashed(text * times)


@settings(max_examples=300, deadline=None)
@given(NASTY, NASTY)
def test_no_name_spoils_a_reply(name: str, text: str) -> None:
    """A name is bold and nothing else, and neither it nor the text mentions anybody."""
    (message,) = render_reply(sender_name=name, sender_role="visitor", text=text)

    assert (read(message).foreign, mentions(message)) == (BOLD, [])


def test_a_length_that_no_server_has_is_refused() -> None:
    """A limit in which header and notes would not fit is an error, not a loop."""
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
    """A reply that only carries further files says whose and which they are."""
    actual = render_files_header(
        sender_name="A_b", sender_role="agent", first=first, last=last, total=21
    )

    assert actual == header


@settings(max_examples=300, deadline=None)
@given(NASTY)
def test_no_file_name_spoils_a_note(name: str) -> None:
    """A note is one line of text, whatever the file is called."""
    note = file_note(name=name, reason="gone.")

    reading = read(note)
    assert (reading.hrefs, reading.foreign, mentions(note)) == ((), (), [])
    assert "\n" not in note


def test_a_long_name_is_shortened() -> None:
    """A name that would fill the screen is cut between two graphemes, visibly."""
    messages = render_reply(sender_name="👩‍👩‍👧" * 40, sender_role="visitor", text="")

    assert read(messages[0]) == Reading("🙋 " + "👩‍👩‍👧" * 15 + "…", (), BOLD)


def test_late_message_says_when_it_was_sent() -> None:
    """The moment stands in the header, in UTC."""
    sent_at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

    (message,) = render_reply(sender_name="Jan", sender_role="visitor", text="x", sent_at=sent_at)

    assert message == "🙋 **Jan** · sent 2 Jan 2026 03:04 UTC\nx"


LATE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("role", ["visitor", "agent"])
def test_author_of_a_post_needs_no_header(role: Role) -> None:
    """The text stands alone, and a message with nothing but files has none."""
    messages = render_reply(sender_name="J", sender_role=role, text="Hoi", with_sender=False)
    bare = render_reply(sender_name="J", sender_role=role, text="", with_sender=False)

    assert (messages, bare) == (["Hoi"], [""])


def test_author_of_a_post_leaves_only_what_no_author_tells() -> None:
    """That it is late, which part and which files it is: set off from what the sender wrote."""
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


@settings(max_examples=100, deadline=None)
@given(NASTY, ROLES, NASTY, st.integers(0, 400), st.booleans())
def test_both_ways_cut_a_text_at_the_same_places(
    name: str, role: Role, text: str, times: int, is_late: bool
) -> None:
    """A message that was begun in one way and is ended in the other loses and doubles nothing."""

    def bodies(*, with_sender: bool) -> list[str]:
        messages = render_reply(
            sender_name=name,
            sender_role=role,
            text=text * times,
            sent_at=LATE if is_late else None,
            max_length=MIN_MESSAGE_LENGTH,
            with_sender=with_sender,
        )
        assert max(map(len, messages)) <= MIN_MESSAGE_LENGTH
        has_head = with_sender or is_late or len(messages) > 1
        gap = "\n" if role == "visitor" else "\n\n"
        return [message.partition(gap)[2] if has_head else message for message in messages]

    assert bodies(with_sender=True) == bodies(with_sender=False)
