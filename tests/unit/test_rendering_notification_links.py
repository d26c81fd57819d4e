"""Links in a notification: around its title, or in its text."""

import pytest

from ireserve_mattermost.messages import URL_LENGTH
from tests.unit.rendered_notifications import render_notification
from tests.unit.test_rendering_oracle import Reading, read


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
    """Mattermost shows a link only on a title; without a title the address follows the text."""
    attachment = render_notification(text="Bevestigd", title=title, url=url, max_length=16383)

    assert "title_link" not in attachment
    assert read(attachment["text"]) == Reading(f"Bevestigd{url}", (href,), ("paragraph",))


def test_the_longest_address_is_a_link_in_the_text() -> None:
    """The link of the longest accepted address has the whole address."""
    url = "https://x.nl/".ljust(URL_LENGTH, "a")
    attachment = render_notification(text="Bevestigd", url=url, max_length=16383)

    assert read(attachment["text"]).hrefs == (url,)


def test_an_address_without_a_text_is_shown() -> None:
    """Without a text, the link is the text of the notification."""
    attachment = render_notification(
        text="", fields=[("a", "b")], url="https://x.nl", max_length=16383
    )

    assert attachment["text"] == "[https://x.nl](https://x.nl)"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/a", "www.x.nl", "http://x.nl b"])
def test_an_address_that_is_no_web_address_is_shown_as_text(url: str) -> None:
    """Only an http(s) address becomes the link of the title; any other is shown as text."""
    attachment = render_notification(text="Hoi", title="T", url=url, max_length=16383)

    assert "title_link" not in attachment
    assert read(attachment["text"]).text == f"Hoi{url}"
    assert attachment["text"].startswith("Hoi\n\n")


def test_a_link_in_a_text_is_explicit() -> None:
    """An address in the text is a link without a preview."""
    attachment = render_notification(text="zie http://x.nl/a.png", max_length=16383)

    assert read(attachment["text"]) == Reading("zie http://x.nl/a.png", ("http://x.nl/a.png",), ())
