"""Who is notified and whose names posts have: the findings of doctor, add and edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import update

from models import Licence, Names
from tests.operators import Operator
from tests.stage.rows import stored
from tests.stage.stage import CHANNEL, LICENCE, TEAM, Stage

PLACE = f"{TEAM}/{CHANNEL}"
Finding = tuple[str, str, str]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database, since the tests are about Mattermost."""
    return sqlite_url


def store(stage: Stage, **values: Any) -> None:
    """Change columns of the licence."""
    with stage.runtime.database.transaction() as session:
        session.execute(update(Licence).where(Licence.id == LICENCE).values(**values))


def diagnose(operator: Operator) -> dict[str, Finding]:
    """Return the doctor's findings; the doctor fails here, since no process runs."""
    return operator.findings(LICENCE, exit_code=1)


def findings_of(answer: Any) -> dict[str, Finding]:
    """Return the findings that ``add`` or ``edit`` printed."""
    return {
        each["name"]: (each["state"], each["sentence"], each["cure"]) for each in answer["checks"]
    }


def let_own_names(stage: Stage, *, usernames: bool = True, icons: bool = True) -> None:
    """Switch posts' own names and icons on or off."""
    stage.stand_in.set_options(EnablePostUsernameOverride=usernames, EnablePostIconOverride=icons)


def make_people(stage: Stage) -> None:
    """Make users who cannot be notified, each for another reason."""
    stage.stand_in.setup(
        {
            "teams": [{"name": "other"}],
            "users": [
                {"username": "bert", "teams": [TEAM]},
                {"username": "carla", "teams": ["other"]},
                {"username": "dirk", "channels": [PLACE], "active": False},
                {"username": "eva", "channels": [PLACE]},
            ],
        }
    )


def leave_team(stage: Stage, username: str) -> None:
    """Remove a member from the team as its administrator."""
    headers = {"Authorization": f"Bearer {stage.stand_in.setup({})['admin']['token']}"}
    api = f"{stage.stand_in.url}/api/v4"
    user_id = requests.get(f"{api}/users/username/{username}", headers=headers, timeout=10).json()[
        "id"
    ]
    team_id = stored(stage).team_id
    path = f"{api}/teams/{team_id}/members/{user_id}"
    requests.delete(path, headers=headers, timeout=10).raise_for_status()


THREADS: list[tuple[str, str, str, str, str]] = [
    # version, setting, mention, state, end of the sentence
    ("11.6.0", "", "", "warn", "no member is mentioned on a root"),
    ("11.6.0", "default_on", "", "warn", "no member is mentioned on a root"),
    ("11.6.0", "default_off", "", "ok", "unless they have switched it on"),
    ("6.7.2", "", "", "ok", "as of any other"),
    ("11.6.0", "", "@anna", "ok", "each conversation's root mentions @anna"),
    ("11.6.0", "default_on", "@channel", "ok", "each conversation's root mentions @channel"),
]


@pytest.mark.parametrize(("version", "setting", "mention", "state", "ending"), THREADS)
def test_collapsed_threads_without_a_mention_are_named(
    version: str,
    setting: str,
    mention: str,
    state: str,
    ending: str,
    stage: Stage,
    operator: Operator,
) -> None:
    """With collapsed threads and no mention, the finding has the command to copy."""
    stage.stand_in.set_options(Version=version, CollapsedThreads=setting)
    store(stage, mention=mention)

    found = diagnose(operator)["threads"]

    assert (found[0], found[1].endswith(ending)) == (state, True), found
    assert (f"licence edit {LICENCE} --mention @MEMBER" in found[2]) is (state == "warn")


MEMBERS = [
    ("anna", "ok", f"is in channel ~{CHANNEL}, and is told", ""),
    ("bert", "warn", f"is not in channel ~{CHANNEL}", f"invite @bert to channel ~{CHANNEL}"),
    ("carla", "warn", f"is not in team {TEAM}", f"invite @carla to team {TEAM}, then"),
    ("dirk", "warn", "is deactivated", f"licence edit {LICENCE} --mention"),
    ("eva", "warn", f"is not in team {TEAM}", f"invite @eva to team {TEAM}"),
    ("ireserve", "warn", "is a bot", f"licence edit {LICENCE} --mention"),
    ("unknown", "warn", "there is no user @unknown", f"licence edit {LICENCE} --mention"),
]


def test_named_members_who_are_not_told_are_named_with_the_cure(
    stage: Stage, operator: Operator
) -> None:
    """Each mentioned user who is not notified is named with the reason and cure."""
    make_people(stage)
    leave_team(stage, "eva")
    store(stage, mention=" ".join(f"@{name}" for name, *_ in MEMBERS))

    found = diagnose(operator)

    for name, state, sentence, cure in MEMBERS:
        told = found[f"mention @{name}"]
        assert (told[0], sentence in told[1], cure in told[2]) == (state, True, True), told


def test_mention_of_the_channel_needs_no_look_at_members(stage: Stage, operator: Operator) -> None:
    """A mention of the channel needs no check of members."""
    store(stage, mention="@channel")

    assert [name for name in diagnose(operator) if name.startswith("mention")] == []


NAMES: list[tuple[Names, bool, bool, str, str]] = [
    (Names.HEADER, False, False, "ok", "a line above each text says who speaks"),
    (Names.HEADER, True, True, "ok", f"licence edit {LICENCE} --names author"),
    (Names.HEADER, True, False, "ok", "a line above each text says who speaks"),
    (Names.AUTHOR, True, True, "ok", "visitor and agent are the authors of their posts"),
    (Names.AUTHOR, False, False, "warn", "posts without that line show the bot's name"),
    (Names.AUTHOR, True, False, "warn", "posts without that line show the bot's name"),
    (Names.AUTHOR, False, True, "warn", "posts without that line show the bot's name"),
]


@pytest.mark.parametrize(("names", "usernames", "icons", "state", "ending"), NAMES)
def test_names_are_judged_by_both_switches_of_the_server(
    names: Names,
    usernames: bool,
    icons: bool,
    state: str,
    ending: str,
    stage: Stage,
    operator: Operator,
) -> None:
    """The doctor offers ``author`` if the server allows it, and warns of ``author`` if not."""
    let_own_names(stage, usernames=usernames, icons=icons)
    store(stage, names=names)

    found = diagnose(operator)["names"]

    assert (found[0], found[1].endswith(ending)) == (state, True), found
    assert ("Enable integrations to override" in found[2]) is (state == "warn")
    assert stored(stage).allows_own_names is (usernames and icons)


def test_edit_asks_the_server_at_once(stage: Stage, operator: Operator) -> None:
    """An edit finds at once a mention that notifies no member."""
    make_people(stage)
    let_own_names(stage)

    answer = operator.json(
        "licence", "edit", LICENCE, "--mention", "@anna @bert", "--names", "author"
    )

    states = {name: state for name, (state, _, _) in findings_of(answer).items()}
    assert states == {
        "threads": "ok",
        "mention @anna": "ok",
        "mention @bert": "warn",
        "names": "ok",
    }
    assert stored(stage).allows_own_names


def test_edit_stores_what_it_could_not_ask_about(stage: Stage, operator: Operator) -> None:
    """If the server is away, the edit is stored, and a line says what to do later."""
    stage.stand_in.set_fault("down")

    answer = operator.json("licence", "edit", LICENCE, "--mention", "@anna")

    ((name, (state, sentence, cure)),) = findings_of(answer).items()
    assert (name, state) == ("mention and names", "skip")
    assert "no connection" in sentence or "cut" in sentence
    assert f"doctor {LICENCE}" in cure
    assert stored(stage).mention == "@anna"


@pytest.mark.parametrize("fault", ["unauthorized", "error_500"])
def test_limits_are_kept_when_the_server_tells_only_half(
    fault: str, stage: Stage, operator: Operator
) -> None:
    """A stored limit stays if the server does not show its limit, as with a wrong token."""
    stage.stand_in.set_options(MaxPostSize=4_000)
    store(stage, max_post_size=4_000)
    stage.stand_in.set_fault(fault)

    operator.json("licence", "edit", LICENCE, "--no-mention", "--names", "author")

    assert stored(stage).max_post_size == 4_000


def test_add_asks_the_server_at_once(stage: Stage, operator: Operator, tmp_path: Path) -> None:
    """``licence add`` also shows findings about mention and names, and stores the licence."""
    (tmp_path / "token").write_text(stage.bot_token)

    answer = operator.json(
        "licence", "add", "L2", "--url", stage.stand_in.url, "--team", TEAM, "--channel", CHANNEL,
        "--token-file", str(tmp_path / "token"), "--mention", "@unknown", "--names", "author",
    )  # fmt: skip

    found = findings_of(answer)
    assert (answer["licence"]["mention"], answer["licence"]["names"]) == ("@unknown", "author")
    assert found["mention @unknown"][0] == "warn"
    assert "licence edit L2 --mention" in found["mention @unknown"][2]
    assert found["names"][0] == "warn"
