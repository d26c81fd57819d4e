"""All texts in a team's Mattermost are in its language and time zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from models import Licence
from tasks.licences.access import Licences
from tests.stage.stage import LICENCE, Stage

pytestmark = pytest.mark.one_database

SUMMER = datetime(2026, 7, 1, 22, 5, tzinfo=UTC)


def set_locale(stage: Stage, language: str, time_zone: str) -> None:
    """Store the team's language and zone; a worker uses them within its cache's time."""
    runtime = stage.runtime
    with runtime.database.transaction() as session:
        values = {"language": language, "time_zone": time_zone}
        session.execute(update(Licence).where(Licence.id == LICENCE).values(values))
    licences = Licences(runtime.database, runtime.licences._keyring)
    stage.runtime = replace(runtime, licences=licences)


def line_of(stage: Stage) -> str:
    """Return the line of the one card."""
    (root,) = [post for post in stage.channel_posts() if not post.root_id]
    line: str = root.props["attachments"][0]["text"]
    return line


def test_thread_of_a_dutch_team_is_dutch(stage: Stage) -> None:
    """Card, header, a late message's time and a missing file's note are in Dutch."""
    set_locale(stage, "nl", "Europe/Amsterdam")

    stage.start(visitor_name="", started_at=SUMMER)
    begun = line_of(stage)
    stage.reply(
        "m1", "Hoi", sender_name="", sent_at=SUMMER, attachments=[{"name": "a.png", "path": "none"}]
    )

    root, reply = sorted(stage.channel_posts(), key=lambda post: bool(post.root_id))
    assert begun == "Begonnen op 2 jul. 2026 00:05"
    assert root.message.splitlines()[0] == "🟠 **Bezoeker zonder naam** · Hoi"
    assert line_of(stage).startswith("Wacht sinds ")
    assert reply.message == (
        "🙋 **Bezoeker zonder naam** · verstuurd op 2 jul. 2026 00:05\nHoi\n\n"
        "⚠ a.png kon niet worden meegestuurd: het bestand bestaat niet meer"
    )


def test_card_follows_a_new_language_with_its_next_change(stage: Stage) -> None:
    """After a change of language, the card's next drawing is whole in the new language."""
    stage.start(started_at=SUMMER)
    stage.reply("m1", "Hoi")
    english = line_of(stage)

    set_locale(stage, "de", "Europe/Berlin")
    unchanged = line_of(stage)
    stage.update(1, state="closed")

    assert english.startswith("Waiting since ")
    assert unchanged == english
    assert line_of(stage).startswith("Geschlossen am ")
