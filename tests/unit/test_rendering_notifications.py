"""Notifications are message attachments that mention no member and load nothing."""

import json
import re
from functools import partial
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ireserve_mattermost.messages import URL_LENGTH
from ireserve_mattermost.values import is_blank
from tasks import rendering
from tasks.rendering import DEFAULT_LOCALE
from tasks.rendering.notifications import MAX_ATTACHMENT_BYTES
from tests.unit.test_rendering_oracle import NASTY, Reading, mentions, read, squashed, typed

render_notification = partial(rendering.render_notification, locale=DEFAULT_LOCALE)
ADDRESSES = st.sampled_from(
    ["https://x.nl/1", "http://x.nl/a_ b", "https://[::1]/(a", "http:///", "http://" + "a" * 7000]
)


def shown(attachment: dict[str, Any]) -> str:
    """Return what a client shows of an attachment."""
    title = attachment.get("title", "")
    texts = [title if attachment.get("title_link") else read(title).text]
    texts.append(read(attachment.get("text", "")).text)
    for field in attachment.get("fields") or ():
        texts += [field["title"], read(field["value"]).text]
    return squashed("\n".join(texts))


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
    """Mattermost parses the Markdown of a title only if it has no link, and drops it."""
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


@pytest.mark.parametrize("title", [None, "", " ", "\u200b", "\u3164\u2800"])
@pytest.mark.parametrize(
    ("url", "href"),
    [
        ("https://x.nl/bookings/1", "https://x.nl/bookings/1"),
        ("https://x.nl/a_).", "https://x.nl/a_)."),
        ("http://[::1]/", "http://[::1]/"),
        ("https://x.nl/my offer.pdf", "https://x.nl/my offer.pdf"),
    ],
)
def test_an_address_without_a_title_is_a_link_in_the_text(
    title: str | None, url: str, href: str
) -> None:
    """Mattermost draws a link only around a title; without one the address follows the text."""
    attachment = render_notification(text="Bevestigd", title=title, url=url, max_length=16383)

    assert "title_link" not in attachment
    assert read(attachment["text"]) == Reading(f"Bevestigd{url}", (href,), ("paragraph",))


def test_the_longest_address_is_a_link_in_the_text() -> None:
    """A long address is shown in part, and its link has the whole address."""
    url = "https://x.nl/".ljust(URL_LENGTH, "a")
    attachment = render_notification(text="Bevestigd", url=url, max_length=16383)

    assert read(attachment["text"]).hrefs == (url,)


def test_an_address_and_nothing_else_is_shown() -> None:
    """A notification may have only fields or an address, without a text."""
    attachment = render_notification(
        text="", fields=[("a", "b")], url="https://x.nl", max_length=16383
    )

    assert attachment["text"] == "[https://x.nl](https://x.nl)"


def test_a_long_title_is_repeated_whole() -> None:
    """A title that is too long for Mattermost is repeated whole in the text."""
    title = "titel " * 150 + "EINDE"

    attachment = render_notification(
        text="Tekst", title=title, fields=[(title, "w")], url="https://x.nl", max_length=16383
    )

    assert attachment["title"].endswith("…")
    assert attachment["text"] == f"{title}\n\nTekst"
    assert attachment["fields"][0]["value"] == f"{title}\n\nw"


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


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/a", "www.x.nl", "http://x.nl b"])
def test_an_address_that_is_no_web_address_is_shown_as_text(url: str) -> None:
    """Only an http(s) address becomes the link of the title; any other is shown as text."""
    attachment = render_notification(text="Hoi", title="T", url=url, max_length=16383)

    assert "title_link" not in attachment
    assert read(attachment["text"]).text == f"Hoi{url}"
    assert attachment["text"].startswith("Hoi\n\n")


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    """A text that is too long is cut at a sensible place, and says how much is missing."""
    attachment = render_notification(
        text="hallo wereld. " * 1000, fields=[("a", "b " * 5000)], max_length=4000
    )

    texts = [attachment["text"], attachment["fields"][0]["value"]]
    assert [text.splitlines()[-1] for text in texts] == [
        "… (10038 more characters)",
        "… (6028 more characters)",
    ]
    assert max(map(len, texts)) <= 4000


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
    assert [part for part in parts if squashed(part) not in visible] == []
    places = (*read(attachment.get("text", "")).hrefs, unquote(attachment.get("title_link", "")))
    assert url is None or squashed(url) in visible or url in places


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([("Titel", "a" * 16_000)] * 50, id="fifty large fields"),
        pytest.param([("é" * 500, "é" * 16_000)] * 19, id="letters of two bytes"),
        pytest.param([("T", "🗑" * 16_000)] * 9, id="letters of four bytes"),
        pytest.param([("T", '"\\\t' * 5_000)] * 30, id="characters that JSON escapes"),
        pytest.param([("T", "<>&" * 5_000)] * 50, id="characters that the server escapes"),
    ],
)
def test_a_notification_fits_into_a_request(fields: list[tuple[str, str]]) -> None:
    """A notification over the server's request limit is cut, and its last field says so."""
    attachment = render_notification(text="é" * 16_000, fields=fields, max_length=16383)

    written = json.dumps(attachment, ensure_ascii=False)
    assert len(written.encode()) <= MAX_ATTACHMENT_BYTES
    assert len(re.sub("[<>&]", r"\\u003c", written)) <= 800_000
    told = re.search(r"… \((\d+) more fields?\)", attachment["fields"][-1]["value"])
    assert told
    assert int(told[1]) == len(fields) - len(attachment["fields"]) + 1


def test_a_notification_of_the_size_of_a_request_is_whole() -> None:
    """Nothing is cut while the notification fits into a request."""
    fields = [(f"T{number}", "a" * 5_000) for number in range(50)]

    attachment = render_notification(text="a", fields=fields, max_length=16383)

    assert [field["value"] for field in attachment["fields"]] == [value for _, value in fields]


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("", True),
        (" \t\n\u00a0\u3000", True),
        ("\u200b\u2060\u00ad\ufeff\u202e", True),
        ("\u3164\u2800\u115f\u034f\ufe0f", True),
        (".", False),
        ("\u0301", False),
        ("\u200b0", False),
    ],
    ids=ascii,
)
def test_what_cannot_be_seen_is_blank(text: str, blank: bool) -> None:
    """Spaces, format characters and fillers count as blank."""
    assert is_blank(text) is blank


def test_a_link_in_a_text_is_explicit() -> None:
    """An address in the text is a link without a preview."""
    attachment = render_notification(text="zie http://x.nl/a.png", max_length=16383)

    assert read(attachment["text"]) == Reading("zie http://x.nl/a.png", ("http://x.nl/a.png",), ())
