"""The root post as a card: the question, the links, and the state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import rendering
from tasks.rendering import DEFAULT_LOCALE, Card, CardState
from tasks.rendering.posts import MIN_MESSAGE_LENGTH
from tests.unit.test_rendering_oracle import NASTY, mentions, read

render_card = partial(rendering.render_card, locale=DEFAULT_LOCALE)
AMSTERDAM = timezone(timedelta(hours=1))
THREE = datetime(2026, 11, 22, 15, 3, tzinfo=AMSTERDAM)
BARE = Card(conversation_id="17", visitor_name="J")
WAITING = replace(BARE, state=CardState.WAITING, since=THREE, question="Is it free?")
BOLD = ("strong_open", "strong_close")


def message_of(card: Card, *, max_length: int = 16383) -> str:
    """Return the message of the card."""
    return render_card(card, max_length=max_length)[0]


def line_of(card: Card) -> str:
    """Return the line in the card's attachment."""
    text: str = render_card(card)[1]["text"]
    return text


def test_a_card_tells_who_asks_what_where_and_since_when() -> None:
    """The first line, which lists show, has name and question; the id and the links follow."""
    card = replace(
        WAITING,
        conversation_id="c-17",
        visitor_name="Jan de Vries",
        question="Is het huis\naan het meer vrij?",
        page_url="https://www.bieb.nl/boeken/meerzicht?q=(a)",
        conversation_url="https://i.example/chats/17",
        fields=[("Booking", "20417"), ("Language", "nl")],
        mention="@anna @bert",
        continues=True,
    )

    message, attachment = render_card(card)

    assert message.splitlines() == [
        "🟠 **Jan de Vries** · Is het huis aan het meer vrij?",
        "`c-17` · [meerzicht](https://www.bieb.nl/boeken/meerzicht?q=%28a%29)"
        " · [Open in i-Reserve](https://i.example/chats/17)",
        "↪ _This continues an earlier thread, which is gone._",
    ]
    assert attachment == {
        "color": "#f5a623",
        "text": "Waiting since 22 Nov 2026 14:03 UTC · Booking: 20417 · Language: nl · @anna @bert",
    }


def test_a_card_leaves_out_what_is_not_known() -> None:
    """A card without name, question, time and page still names its conversation."""
    message, attachment = render_card(replace(BARE, visitor_name=" "))

    assert message == "💬 **Unnamed visitor**\n`17`"
    assert attachment["text"] == "New"


@pytest.mark.parametrize(
    ("card", "sign", "line"),
    [
        pytest.param(
            replace(BARE, started_at=THREE), "💬", "Started 22 Nov 2026 14:03 UTC", id="new"
        ),
        pytest.param(WAITING, "🟠", "Waiting since 22 Nov 2026 14:03 UTC", id="waiting"),
        pytest.param(
            replace(WAITING, state=CardState.ANSWERED),
            "🟢",
            "Answered 22 Nov 2026 14:03 UTC",
            id="answered",
        ),
        pytest.param(
            replace(WAITING, state=CardState.TAKEN, assignee="Anna", assignee_username="anna"),
            "🟢",
            "Taken by @anna 22 Nov 2026 14:03 UTC",
            id="taken by a member",
        ),
        pytest.param(
            replace(WAITING, state=CardState.TAKEN, assignee="@all", waiting_since=THREE),
            "🟢",
            "Taken by @\u200ball 22 Nov 2026 14:03 UTC · waiting since 22 Nov 2026 14:03 UTC",
            id="taken by a name, and the visitor waits",
        ),
        pytest.param(
            replace(WAITING, state=CardState.SNOOZED),
            "💤",
            "Snoozed 22 Nov 2026 14:03 UTC",
            id="snoozed",
        ),
        pytest.param(
            replace(WAITING, state=CardState.CLOSED, assignee="Anna"),
            "⚪",
            "Closed by Anna 22 Nov 2026 14:03 UTC",
            id="closed",
        ),
    ],
)
def test_a_state_is_seen_at_a_glance(card: Card, sign: str, line: str) -> None:
    """Each state has a sign before the name, and a line in the attachment."""
    assert message_of(card).startswith(f"{sign} **J**")
    assert line_of(card) == line


def test_a_message_that_cannot_be_edited_shows_no_state() -> None:
    """Without edits the message has no state sign; state and question are in the attachment."""
    card = replace(WAITING, is_signed=False, question="# free?")

    assert message_of(card).splitlines()[0] == "**J** · # free?"
    assert line_of(card) == "Waiting since 22 Nov 2026 14:03 UTC · # free?"


def test_a_long_question_is_cut() -> None:
    """A long question is cut at 150 characters."""
    first = message_of(replace(WAITING, question="word " * 100)).splitlines()[0]

    assert first.removeprefix("🟠 **J** · ") == ("word " * 30)[:149].rstrip() + "…"


@pytest.mark.parametrize(
    ("page_url", "shown"),
    [
        pytest.param("javascript:alert(1)", "javascript:\u200balert(1)", id="no web address"),
        pytest.param("www.x.nl", "w\u200bww.x.nl", id="no scheme"),
        pytest.param("http://x.nl a", "http:\u200b//x.nl a", id="an address and more"),
        pytest.param("http://x.nl/\n# a", "http:\u200b//x.nl\u200b/ # a", id="two lines"),
        pytest.param(
            "https://x.nl/@all/" + "a" * 80,
            "[" + "a" * 39 + "…](https://x.nl/@all/" + "a" * 80 + ")",
            id="long",
        ),
        pytest.param("https://x.nl/a_).", "[a_).](https://x.nl/a_%29.)", id="odd end"),
        pytest.param("http://[::1]/a", "[a](http://[::1]/a)", id="ipv6"),
        pytest.param(
            "https://x.nl/my offer.pdf", "[my offer.pdf](https://x.nl/my%20offer.pdf)", id="blank"
        ),
        pytest.param(
            "https://x.nl/a\u00a0b", "[a\u00a0b](https://x.nl/a%C2%A0b)", id="no-break space"
        ),
        pytest.param("\u200bhttps://x.nl/a", "[a](https://x.nl/a)", id="unseen before it"),
        pytest.param("https://x.nl/?q=1", "[x.nl](https://x.nl/?q=1)", id="host alone"),
        pytest.param("https://my_host/", "[my_host](https://my_host/)", id="underscore"),
        pytest.param("http://x.nl\\@e.nl", "http:\u200b//x.nl\\\\@\u200be.nl", id="two hosts"),
        pytest.param("https:///a", "https:\u200b///a", id="no host"),
    ],
)
def test_a_page_is_a_link_only_if_it_is_a_web_address(page_url: str, shown: str) -> None:
    """Only an http(s) address becomes a link, with the last part of its path as label."""
    assert message_of(replace(BARE, page_url=page_url)).splitlines()[1] == f"`17` · {shown}"


def test_a_page_has_the_title_that_i_reserve_gives() -> None:
    """The title of a page replaces the label, and is also shown without an address."""
    titled = replace(BARE, page_title="Huis *aan* het meer")

    assert "· [Huis \\*aan\\* het meer](https://x.nl/a)" in message_of(
        replace(titled, page_url="https://x.nl/a")
    )
    assert message_of(titled).endswith("· Huis \\*aan\\* het meer")


def test_no_link_makes_a_root_too_long() -> None:
    """An address that does not fit is shown in part, as text."""
    card = replace(
        WAITING,
        conversation_id="`" * 100,
        visitor_name="*" * 80,
        question="*" * 200,
        page_url="https://x.nl/" + "(" * 7900,
        conversation_url="https://x.nl/" + ")" * 7900,
        continues=True,
    )

    message = message_of(card, max_length=MIN_MESSAGE_LENGTH)

    assert len(message) <= MIN_MESSAGE_LENGTH
    assert read(message).hrefs == ()


def test_a_page_of_a_long_address_can_be_opened() -> None:
    """A long address is shown in part, and its link has the whole address."""
    address = "https://x.nl/?s=" + "a" * 900

    message = message_of(replace(BARE, page_url=address), max_length=MIN_MESSAGE_LENGTH)

    assert read(message).hrefs == (address,)


def test_an_id_that_cannot_be_seen_is_spelt_out() -> None:
    """An invisible id is shown by its code point."""
    assert message_of(replace(BARE, conversation_id="\u00a0")).splitlines()[1] == "U+00A0"


@settings(max_examples=300)
@given(NASTY, NASTY, NASTY, NASTY, NASTY, st.booleans(), st.sampled_from(CardState))
def test_no_text_changes_the_form_of_a_card(
    name: str, id_: str, question: str, page: str, field: str, web: bool, state: CardState
) -> None:
    """No text of the visitor leaves its place, mentions a member or loads anything."""
    card = Card(
        conversation_id=id_,
        visitor_name=name,
        question=question,
        state=state,
        since=datetime(2026, 1, 2, tzinfo=UTC),
        assignee=name,
        page_url=f"https://x.nl/{page}" if web else page,
        page_title=field if web else None,
        conversation_url="https://i.example/1",
        fields=[(field, question)],
    )

    message, attachment = render_card(card)

    code = [token for token in read(message).foreign if token == "code_inline"]
    assert mentions(message) == mentions(attachment["text"]) == []
    assert sorted(read(message).foreign) == sorted((*BOLD, *code))
    assert len(code) <= 1
    assert len(message.split("\n")) == 2
    assert read(attachment["text"]).foreign == ()
    assert "\n" not in attachment["text"]
    assert "https://i.example/1" in read(message).hrefs
