"""``licence edit``: what the command changes, where the change shows, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from models import Conversation, Names
from tasks.licences.access import Licences
from tests.operators import Operator
from tests.stage.rows import stored
from tests.stage.stage import BOT, CHANNEL, LICENCE, TEAM, Stage

pytestmark = pytest.mark.one_database


def test_edit_changes_what_is_given_alone(stage: Stage, operator: Operator) -> None:
    """An edit changes only the given options, and these need no answer from Mattermost."""
    stage.stand_in.set_fault("down")
    before = operator.json("licence", "show", LICENCE)["licence"]

    operator.json(
        "licence",
        "edit",
        LICENCE,
        *("--note-prefixes", "intern:"),
        *("--replies", "explicit"),
        *("--reply-prefixes", "gast:"),
        *("--reply-pause", "1m"),
        *("--receipts", "notes"),
        *("--hints", "off"),
        *("--language", "nl"),
        *("--time-zone", "europe/amsterdam"),
    )

    after = operator.json("licence", "show", LICENCE)["licence"]
    changed = {name for name in after if after[name] != before[name]}
    new = {
        "note_prefixes": "intern:",
        "reply_mode": "explicit",
        "reply_prefixes": "gast:",
        "reply_pause_s": 60,
        "receipts": "notes",
        "hints": False,
        **{"language": "nl", "time_zone": "Europe/Amsterdam"},
    }
    assert after.items() >= new.items()
    assert changed == {*new, "updated_at"}


def test_wrong_time_zone_is_named_with_the_nearest_and_changes_nothing(
    stage: Stage, operator: Operator
) -> None:
    """A wrong time zone changes nothing, and the error names the nearest time zone."""
    before = operator.json("licence", "show", LICENCE)

    result = operator.run("licence", "edit", LICENCE, "--time-zone", "Amsterdam")

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: Invalid value for '--time-zone': no time zone is named 'Amsterdam'; "
        "the nearest are: Europe/Amsterdam"
    )
    assert operator.json("licence", "show", LICENCE) == before


@pytest.mark.parametrize(
    "setting",
    [("--replies", "alerts"), ("--language", "nl"), ("--time-zone", "Europe/Amsterdam")],
    ids=lambda setting: setting[0],
)
def test_new_setting_marks_open_cards_to_be_drawn(
    stage: Stage, operator: Operator, setting: tuple[str, str]
) -> None:
    """A setting that cards show marks the cards of open conversations to be drawn."""
    stage.start("c1")
    stage.start("c2")
    stage.update(1, "c2", state="closed")

    def to_be_drawn() -> list[str]:
        waits = Conversation.card_changed_at.is_not(None)
        with stage.runtime.database.snapshot() as session:
            return list(session.scalars(select(Conversation.conversation_id).where(waits)))

    operator.json("licence", "edit", LICENCE, "--reply-pause", "10s")
    before = to_be_drawn()
    operator.json("licence", "edit", LICENCE, *setting)

    assert (before, to_be_drawn()) == ([], ["c1"])


def test_new_mention_and_names_reach_a_worker(stage: Stage, operator: Operator) -> None:
    """A worker that reads the licence again has the new mention and names, or no mention."""

    def sending() -> tuple[str, Names]:
        access = Licences(stage.runtime.database, stage.runtime.licences._keyring).access(LICENCE)
        return access.mention, access.names

    before = sending()
    operator.json(
        "licence", "edit", LICENCE, "--mention", "@Anna", "--mention", "bert", "--names", "author"
    )
    told = sending()
    operator.json("licence", "edit", LICENCE, "--no-mention")

    assert before == ("", Names.HEADER)
    assert told == ("@anna @bert", Names.AUTHOR)
    assert sending() == ("", Names.AUTHOR)


def test_edit_moves_a_disabled_licence_and_leaves_it_disabled(
    stage: Stage, operator: Operator
) -> None:
    """An edit moves a disabled licence to a channel checked with the stored token."""
    stage.stand_in.setup(
        {
            "channels": [{"team": TEAM, "name": "second"}],
            "bots": [{"username": BOT, "channels": [f"{TEAM}/second"]}],
        }
    )
    operator.json("licence", "disable", LICENCE)

    operator.json("licence", "edit", LICENCE, "--channel", "~second")

    assert stored(stage).default_channel_name == "second"
    assert not stored(stage).enabled


def test_edit_that_would_not_work_changes_nothing(stage: Stage, operator: Operator) -> None:
    """An edit that fails its checks changes nothing and names the failed check."""
    answer = operator.json("licence", "edit", LICENCE, "--channel", "nowhere", exit_code=1)

    (finding,) = [each for each in answer["checks"] if each["state"] == "fail"]
    assert finding["name"] == "channel ~nowhere"
    assert stored(stage).default_channel_name == CHANNEL


def test_new_token_is_stored_encrypted(stage: Stage, operator: Operator, tmp_path: Path) -> None:
    """A new token is read from the file, checked and stored encrypted."""
    made = stage.stand_in.setup(
        {"bots": [{"username": "newbot", "channels": [f"{TEAM}/{CHANNEL}"]}]}
    )
    token = made["bots"]["newbot"]["token"]
    (tmp_path / "new").write_text(token)

    result = operator.run("licence", "edit", LICENCE, "--token-file", str(tmp_path / "new"))

    access = Licences(stage.runtime.database, stage.runtime.licences._keyring).access(LICENCE)
    assert (access.token, access.bot_username) == (token, "newbot")
    assert f"@newbot posts from now on, in the place of @{BOT}" in result.output
    assert token not in result.output
