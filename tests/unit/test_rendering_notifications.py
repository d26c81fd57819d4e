"""Notifications are message attachments that mention no member and load nothing."""

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.rendered_notifications import render_notification, shown
from tests.unit.test_rendering_oracle import NASTY, mentions, read, typed, without_blanks

ADDRESSES = st.sampled_from(
    ["https://x.nl/1", "http://x.nl/a_ b", "https://[::1]/(a", "http:///", "http://" + "a" * 7000]
)


def test_a_notification_is_a_message_attachment() -> None:
    """Text, title, fields, colour and link are where Mattermost expects them."""
    attachment = render_notification(
        text="Boek *3* is terug @all",
        title="Terug_gebracht :)",
        fields=[("Lener :x:", "Jan_1 ~town"), ("Uitleg", "a" * 41)],
        color="good",
        url="https://x.nl/?a=(1)",
        max_length=16383,
    )

    assert attachment == {
        "fallback": "Terug_gebracht :\u200b): Boek *\ufeff3*\ufeff is terug @\u200ball",
        "color": "good",
        "title": "Terug_gebracht :\u200b)",
        "title_link": "https://x.nl/?a=(1)",
        "text": "Boek \\*3\\* is terug @\u200ball",
        "fields": [
            {"title": "Lener :\u200bx:", "value": "Jan_1 ~\u200btown", "short": True},
            {"title": "Uitleg", "value": "a" * 41, "short": False},
        ],
    }


def test_what_is_not_given_is_left_out() -> None:
    """A notification with only a text has only a text."""
    attachment = render_notification(text="Hoi", fields=None, max_length=16383)

    assert attachment == {"fallback": "Hoi", "text": "Hoi"}


def test_a_title_without_a_link_is_escaped() -> None:
    """A title without a link is escaped, since Mattermost would parse and remove its Markdown."""
    attachment = render_notification(text="a", title="2*3*4 <b>", max_length=16383)

    assert attachment["title"] == "2\\*3\\*4 &lt;b>"


@pytest.mark.parametrize(
    "title",
    [
        "3. floor: key returned",
        "1. Booking changed",
        "12) x",
        "- 2 guests",
        "+ 2 guests",
        "> 30 days overdue",
        "# 20417 confirmed",
        "===",
        "|a|b|",
    ],
)
def test_a_title_keeps_its_first_characters(title: str) -> None:
    """The first characters of a title or summary are not read as a list, quote or heading."""
    attachment = render_notification(text="a", title=title, max_length=16383)

    assert attachment["title"] == "\u200b" + title
    assert attachment["fallback"] == f"\u200b{title}: a"


@pytest.mark.parametrize(
    ("title", "fallback"),
    [
        pytest.param("2*3*4", "2*\ufeff3*\ufeff4: snake_case", id="stars"),
        pytest.param("_x_", "_\ufeffx_: snake_case", id="underscores"),
        pytest.param("[a](b)", "[a]\ufeff(b): snake_case", id="link"),
        pytest.param("[c] a_b $5", "[c] a_b $5: snake_case", id="ordinary"),
    ],
)
def test_desktop_and_phone_show_the_same_of_a_notification(title: str, fallback: str) -> None:
    """Invisible characters separate Markdown signs, so that desktop and phone show the same."""
    attachment = render_notification(text="snake_case", title=title, max_length=16383)

    assert attachment["fallback"] == fallback


@pytest.mark.parametrize(
    ("title", "text", "fallback"),
    [
        pytest.param("T", "x", "T: x", id="title and text"),
        pytest.param("T", " ", "T: Gast Jan, Nachten 3", id="title and fields"),
        pytest.param(None, "", "Gast Jan, Nachten 3", id="fields alone"),
    ],
)
def test_notifications_show_fields_where_there_is_no_text(
    title: str | None, text: str, fallback: str
) -> None:
    """Without a text, the desktop and phone notification shows the fields."""
    attachment = render_notification(
        text=text, title=title, fields=[("Gast", "Jan"), ("Nachten", "3")], max_length=16383
    )

    assert attachment["fallback"] == fallback


def test_fields_that_show_nothing_are_left_out() -> None:
    """A field with only blanks is left out."""
    attachment = render_notification(
        text="a", fields=[("", ""), ("\u200b", " "), ("Naam", "")], max_length=16383
    )

    assert attachment["fields"] == [{"title": "Naam", "value": "", "short": True}]


@settings(max_examples=300)
@given(NASTY, NASTY, NASTY)
def test_nothing_in_a_notification_pings_or_loads(text: str, title: str, value: str) -> None:
    """Text and values read as typed, and no part of a notification mentions a member."""
    attachment = render_notification(
        text=text, title=title, fields=[(f"T{title}", value)], max_length=16383
    )

    field = attachment["fields"][0]
    shown = [attachment.get("text", ""), field["value"]]
    readings = [read(markdown) for markdown in shown]
    assert [(reading.text, reading.foreign) for reading in readings] == [
        (typed(text), ()),
        (typed(value), ()),
    ]
    others = [attachment.get("title", ""), attachment.get("fallback", ""), field["title"]]
    assert [mentions(markdown) for markdown in (*shown, *others)] == [[]] * 5


@settings(max_examples=200)
@given(NASTY, NASTY, st.lists(st.tuples(NASTY, NASTY), max_size=6), st.none() | ADDRESSES)
def test_all_of_a_notification_is_found_again(
    text: str, title: str, fields: list[tuple[str, str]], url: str | None
) -> None:
    """A client shows every character, link and field."""
    attachment = render_notification(
        text=text, title=title, fields=fields, url=url, max_length=16383
    )

    visible = shown(attachment)
    parts = [text, title, *(part for field in fields for part in field)]
    assert [part for part in parts if without_blanks(part) not in visible] == []
    places = (*read(attachment.get("text", "")).hrefs, unquote(attachment.get("title_link", "")))
    assert url is None or without_blanks(url) in visible or url in places
