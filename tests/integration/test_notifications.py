"""Notifications: standalone, in the channel of their type, once for each id."""

from __future__ import annotations

import pytest

from models import Licence
from tasks.licences.registration import find_channel, map_notification, switch_notification_off
from tests.integration.conftest import BOT, LICENCE, TEAM, Office


def _map(office: Office, notification_type: str, channel: str) -> str:
    place = f"{TEAM}/{channel}"
    made = office.stand_in.setup(
        {
            "channels": [{"team": TEAM, "name": channel}],
            "users": [{"username": "anna", "channels": [place]}],
            "bots": [{"username": BOT, "channels": [place]}],
        }
    )
    found = find_channel(office.bot(), TEAM, channel, bot_username=BOT)
    with office.runtime.database.transaction() as session:
        map_notification(
            session, session.get_one(Licence, LICENCE), notification_type, channel=found
        )
    return str(made["channels"][place]["id"])


def test_notification_is_a_message_attachment_in_its_channel(office: Office) -> None:
    """Title, fields, colour and link are those of a Mattermost message attachment."""
    bookings = _map(office, "booking_confirmed", "bookings")

    office.notify(
        "booking_confirmed",
        "See you soon",
        title="Booking 7",
        fields={"Guest": "Jan", "Persons": 4},
        color="#00ff00",
        url="https://example.com/7",
    )

    (post,) = office.channel_posts(bookings)
    (attachment,) = post.props["attachments"]
    assert post.root_id == ""
    assert attachment["title"] == "Booking 7"
    assert attachment["title_link"] == "https://example.com/7"
    assert attachment["color"] == "#00ff00"
    assert attachment["text"] == "See you soon"
    assert [(field["title"], field["value"]) for field in attachment["fields"]] == [
        ("Guest", "Jan"),
        ("Persons", "4"),
    ]


def test_unmapped_type_goes_to_the_default_channel(office: Office) -> None:
    """A type that nobody has mapped is told in the licence's own channel."""
    office.notify("unheard_of")

    assert len(office.channel_posts()) == 1


def test_type_that_is_switched_off_is_skipped(office: Office) -> None:
    """Nothing is posted, and the row says why."""
    with office.runtime.database.transaction() as session:
        switch_notification_off(session, session.get_one(Licence, LICENCE), "booking")

    office.notify("booking", notification_id="n1")

    assert office.channel_posts() == []
    assert office.states() == {"notification-id:n1": ("skipped", "type_switched_off")}


def test_same_notification_id_is_posted_once(office: Office) -> None:
    """A second call with the same id of a type posts nothing; one without an id always posts."""
    office.notify("booking", notification_id="n1")
    office.notify("booking", notification_id="n1")
    office.notify("booking")
    office.notify("booking")

    assert len(office.channel_posts()) == 3


def test_same_id_of_another_type_is_another_notification(office: Office) -> None:
    """A booking's number may serve as the id of several types."""
    office.notify("booking_confirmed", notification_id="20417")
    office.notify("booking_cancelled", notification_id="20417")

    assert len(office.channel_posts()) == 2


@pytest.mark.parametrize("name", ["@channel", "@anna", "~webchat"])
def test_nothing_in_a_notification_pings(office: Office, name: str) -> None:
    """Title, text and fields may hold a visitor's words."""
    office.notify(text=f"text {name}", title=f"title {name}", fields={f"field {name}": name})

    (post,) = office.channel_posts()
    (attachment,) = post.props["attachments"]
    fields = [part for field in attachment["fields"] for part in (field["title"], field["value"])]
    said = [post.message, attachment["text"], attachment["title"], attachment["fallback"], *fields]

    assert not [text for text in said if name in text]
