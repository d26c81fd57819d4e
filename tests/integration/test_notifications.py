"""Notifications are posted in the channel of their type, once for each id."""

from __future__ import annotations

import pytest

from models import Licence
from tasks.licences.registration import map_notification, switch_notification_off
from tests.stage.stage import BOT, LICENCE, TEAM, Stage

pytestmark = pytest.mark.one_database


def _map(stage: Stage, notification_type: str, channel: str) -> str:
    place = f"{TEAM}/{channel}"
    made = stage.stand_in.setup(
        {
            "channels": [{"team": TEAM, "name": channel}],
            "users": [{"username": "anna", "channels": [place]}],
            "bots": [{"username": BOT, "channels": [place]}],
        }
    )
    found = stage.bot().get_channel_by_name(team=TEAM, channel=channel)
    with stage.runtime.database.transaction() as session:
        map_notification(
            session, session.get_one(Licence, LICENCE), notification_type, channel=found
        )
    return str(made["channels"][place]["id"])


def test_notification_is_a_message_attachment_in_its_channel(stage: Stage) -> None:
    """A notification is a message attachment with title, fields, colour and link."""
    bookings = _map(stage, "booking_confirmed", "bookings")

    stage.notify(
        "booking_confirmed",
        "See you soon",
        title="Booking 7",
        fields={"Guest": "Jan", "Persons": 4},
        color="#00ff00",
        url="https://example.com/7",
    )

    (post,) = stage.channel_posts(bookings)
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


def test_unmapped_type_goes_to_the_default_channel(stage: Stage) -> None:
    """A type without a mapped channel is posted in the default channel."""
    stage.notify("unheard_of")

    assert len(stage.channel_posts()) == 1


def test_type_that_is_switched_off_is_skipped(stage: Stage) -> None:
    """A type that is switched off is skipped with a reason."""
    with stage.runtime.database.transaction() as session:
        switch_notification_off(session, session.get_one(Licence, LICENCE), "booking")

    stage.notify("booking", notification_id="n1")

    assert stage.channel_posts() == []
    assert stage.states() == {"notification-id:n1": ("skipped", "type_switched_off")}


def test_same_notification_id_is_posted_once(stage: Stage) -> None:
    """A notification id is posted once for its type, and a call without an id each time."""
    stage.notify("booking", notification_id="n1")
    stage.notify("booking", notification_id="n1")
    stage.notify("booking")
    stage.notify("booking")

    assert len(stage.channel_posts()) == 3


def test_same_id_of_another_type_is_another_notification(stage: Stage) -> None:
    """The same id of another type is another notification."""
    stage.notify("booking_confirmed", notification_id="20417")
    stage.notify("booking_cancelled", notification_id="20417")

    assert len(stage.channel_posts()) == 2


@pytest.mark.parametrize("name", ["@channel", "@anna", "~webchat"])
def test_nothing_in_a_notification_mentions_a_member(stage: Stage, name: str) -> None:
    """Title, text and fields mention no member."""
    stage.notify(text=f"text {name}", title=f"title {name}", fields={f"field {name}": name})

    (post,) = stage.channel_posts()
    (attachment,) = post.props["attachments"]
    fields = [part for field in attachment["fields"] for part in (field["title"], field["value"])]
    said = [post.message, attachment["text"], attachment["title"], attachment["fallback"], *fields]

    assert not [text for text in said if name in text]
