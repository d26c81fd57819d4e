"""A notification that is too long is cut, and says how much is missing."""

import json
import re

import pytest

from tasks.rendering.notifications import MAX_ATTACHMENT_BYTES
from tests.unit.rendered_notifications import render_notification


def test_a_long_title_is_repeated_whole() -> None:
    """A title that is too long for Mattermost is cut, and repeated whole in the text below it."""
    title = "titel " * 150 + "EINDE"

    attachment = render_notification(
        text="Tekst", title=title, fields=[(title, "w")], url="https://x.nl", max_length=16383
    )

    assert attachment["title"].endswith("…")
    assert attachment["text"] == f"{title}\n\nTekst"
    assert attachment["fields"][0]["value"] == f"{title}\n\nw"


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    """A text that is too long is cut, and its last line says how much is missing."""
    attachment = render_notification(
        text="hallo wereld. " * 1000, fields=[("a", "b " * 5000)], max_length=4000
    )

    texts = [attachment["text"], attachment["fields"][0]["value"]]
    assert [text.splitlines()[-1] for text in texts] == [
        "… (10038 more characters)",
        "… (6028 more characters)",
    ]
    assert max(map(len, texts)) <= 4000


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
