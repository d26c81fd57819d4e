"""Notifications are message attachments in which nothing pings and nothing loads."""

import pytest
from hypothesis import given, settings

from tasks.rendering import render_notification
from tests.unit.test_rendering_oracle import NASTY, Reading, mentions, read, typed


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
        "fallback": "Terug_gebracht :\u200b): Boek *3* is terug @\u200ball",
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
    """A notification of nothing but text has nothing but text."""
    attachment = render_notification(text="Hoi", fields=None, max_length=16383)

    assert attachment == {"fallback": "Hoi", "text": "Hoi"}


def test_a_title_without_a_link_is_escaped() -> None:
    """Mattermost parses the Markdown of a title only if it has no link, and drops it."""
    attachment = render_notification(text="a", title="2*3*4 <b>", max_length=16383)

    assert attachment["title"] == "2\\*3\\*4 &lt;b>"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/a", "www.x.nl", "http://x.nl b"])
def test_an_address_that_is_no_web_address_is_shown_as_text(url: str) -> None:
    """Nothing but http(s) becomes the link of the title, and what was given is not lost."""
    attachment = render_notification(text="Hoi", title="T", url=url, max_length=16383)

    assert "title_link" not in attachment
    assert read(attachment["text"]).text == f"Hoi\n{url}"


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    """An attachment cannot be split: it is cut at a sensible place, and tells how much is gone."""
    attachment = render_notification(
        text="hallo wereld. " * 1000, fields=[("a", "b " * 5000)], max_length=4000
    )

    texts = [attachment["text"], attachment["fields"][0]["value"]]
    assert [text.splitlines()[-1] for text in texts] == [
        "… (10038 more characters)",
        "… (6028 more characters)",
    ]
    assert max(map(len, texts)) <= 4000


@settings(max_examples=300, deadline=None)
@given(NASTY, NASTY, NASTY)
def test_nothing_in_a_notification_pings_or_loads(text: str, title: str, value: str) -> None:
    """Text and values read as typed; neither they nor title and fallback mention anybody."""
    attachment = render_notification(
        text=text, title=title, fields=[(title, value)], max_length=16383
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


def test_a_link_in_a_text_is_explicit() -> None:
    """An address in the text is a link without a preview."""
    attachment = render_notification(text="zie http://x.nl/a.png", max_length=16383)

    assert read(attachment["text"]) == Reading("zie http://x.nl/a.png", ("http://x.nl/a.png",), ())
